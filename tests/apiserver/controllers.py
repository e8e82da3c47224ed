"""What the controllers of a cluster do, at once, whenever something changes."""

from __future__ import annotations

import copy
import hashlib
import json
from dataclasses import dataclass, field

from apiserver.kubelet import NOW, Behaviour, Data, is_ready, live
from apiserver.network import Store, lead


@dataclass
class Controllers:
    """Reconciles a store; everything is settled when `settle` returns."""

    store: Store
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    """By the value of `app.kubernetes.io/name`."""
    count: int = 0

    def behaviour(self, pod: Data) -> Behaviour:
        labels = pod["metadata"].get("labels") or {}
        found = self.behaviours.get(labels.get("app.kubernetes.io/name", ""), Behaviour())
        marks = pod["metadata"].get("annotations") or {}
        restarted = "kubectl.kubernetes.io/restartedAt" in marks
        return found.of(pod["spec"]["containers"][0]["image"], restarted)

    def settle(self) -> None:
        for (plural, namespace, _), thing in list(self.store.items()):
            if plural == "horizontalpodautoscalers.autoscaling":
                self._autoscale(namespace, thing["spec"])
        for (plural, namespace, name), thing in list(self.store.items()):
            if plural == "deployments.apps":
                self._deployment(namespace, name, thing)
            elif plural == "statefulsets.apps":
                self._stateful_set(namespace, name, thing)
            elif plural == "jobs.batch":
                self._job(namespace, name, thing)
        lead(self.store)

    # Workloads

    def _autoscale(self, namespace: str, spec: Data) -> None:
        """Within its bounds; there is no load."""
        target = self.store.get(("deployments.apps", namespace, spec["scaleTargetRef"]["name"]))
        if target is None:
            return
        had = target["spec"].get("replicas", 1)
        count = min(max(had, spec["minReplicas"]), spec["maxReplicas"])
        if count != had:
            target["spec"]["replicas"] = count
            target["metadata"]["generation"] += 1

    def _deployment(self, namespace: str, name: str, thing: Data) -> None:
        template = thing["spec"]["template"]
        digest = _digest(template)
        own = f"{name}-{digest}"
        sets = self._owned("replicasets.apps", namespace, thing)
        highest = max((self._revision(s) for s in sets.values()), default=0)
        if own not in sets:
            self._make_set(namespace, own, thing, template, digest, highest + 1)
        elif self._revision(sets[own]) < highest:
            marks = sets[own]["metadata"]["annotations"]
            marks["deployment.kubernetes.io/revision"] = str(highest + 1)
        wanted = thing["spec"].get("replicas", 1)
        refused = self.behaviour({**template, "metadata": template.get("metadata", {})}).refused
        count = 0 if refused else wanted
        new = self._pods(namespace, thing, own, template, count, {"pod-template-hash": digest})
        ready = [pod for pod in new if is_ready(pod)]
        old = [
            pod
            for pod in self._owned("pods", namespace, thing).values()
            if pod["metadata"]["labels"]["pod-template-hash"] != digest
        ]
        if len(ready) == wanted:
            for pod in old:
                del self.store["pods", namespace, pod["metadata"]["name"]]
            old = []
        stuck = any(self.behaviour(pod).stuck for pod in new)
        progressing = {
            "type": "Progressing",
            "status": "False" if stuck else "True",
            "reason": "ProgressDeadlineExceeded" if stuck else "NewReplicaSetAvailable",
            "message": f'ReplicaSet "{own}" has timed out progressing.' if stuck else "",
        }
        thing["status"] = {
            "observedGeneration": thing["metadata"]["generation"],
            "replicas": len(new) + len(old),
            "updatedReplicas": len(new),
            "readyReplicas": len(ready),
            "availableReplicas": len(ready) + len(old),
            "conditions": [progressing],
        }
        if refused:
            why = {"type": "ReplicaFailure", "status": "True", "message": refused}
            thing["status"]["conditions"].append(why)
        if len(ready) < len(new):
            thing["status"]["availableReplicas"] = len(ready)

    def _revision(self, thing: Data) -> int:
        return int(thing["metadata"]["annotations"]["deployment.kubernetes.io/revision"])

    def _make_set(
        self, namespace: str, name: str, owner: Data, template: Data, digest: str, number: int
    ) -> None:
        kept = copy.deepcopy(template)
        kept.setdefault("metadata", {}).setdefault("labels", {})["pod-template-hash"] = digest
        marks = {"deployment.kubernetes.io/revision": str(number)}
        self.store["replicasets.apps", namespace, name] = {
            "metadata": {**self._of(owner, namespace, name, kept), "annotations": marks},
            "spec": {"template": kept},
        }

    def _stateful_set(self, namespace: str, name: str, thing: Data) -> None:
        template, wanted = thing["spec"]["template"], thing["spec"].get("replicas", 1)
        digest = _digest(template)
        self._keep_revision(namespace, f"{name}-{digest}", thing)
        for pod in self._owned("pods", namespace, thing).values():
            if pod["metadata"]["labels"]["controller-revision-hash"] != digest:
                del self.store["pods", namespace, pod["metadata"]["name"]]
        marks = {"controller-revision-hash": digest}
        if self.behaviour({**template, "metadata": template.get("metadata", {})}).refused:
            wanted = 0
        pods = self._pods(namespace, thing, name, template, wanted, marks, plain=True)
        ready = sum(map(is_ready, pods))
        for claim in thing["spec"].get("volumeClaimTemplates", ()):
            self._claim(namespace, f"{claim['metadata']['name']}-{name}-0", thing)
        thing["status"] = {
            "observedGeneration": thing["metadata"]["generation"],
            "replicas": len(pods),
            "readyReplicas": ready,
            "updatedReplicas": len(pods),
            "currentRevision": digest,
            "updateRevision": digest,
        }

    def _keep_revision(self, namespace: str, name: str, owner: Data) -> None:
        """A template as a patch; the one of now has the highest number."""
        kept = self._owned("controllerrevisions.apps", namespace, owner)
        highest = max((thing["revision"] for thing in kept.values()), default=0)
        if name in kept and kept[name]["revision"] == highest:
            return
        template = owner["spec"]["template"]
        patch = {**copy.deepcopy(template), "$patch": "replace"}
        self.store["controllerrevisions.apps", namespace, name] = {
            "metadata": self._of(owner, namespace, name, template),
            "revision": highest + 1,
            "data": {"spec": {"template": patch}},
        }

    def _claim(self, namespace: str, name: str, owner: Data) -> None:
        labels = owner["spec"]["selector"]["matchLabels"]
        self.store.setdefault(
            ("persistentvolumeclaims", namespace, name),
            {"metadata": {"name": name, "namespace": namespace, "labels": dict(labels)}},
        )

    def _job(self, namespace: str, name: str, thing: Data) -> None:
        if thing.get("status", {}).get("conditions"):
            return
        [pod] = self._pods(namespace, thing, name, thing["spec"]["template"], 1, {})
        if not self.behaviour(pod).ready:
            thing["status"] = {"active": 1}
            return
        ended = {"exitCode": 0, "reason": "Completed", "finishedAt": NOW}
        pod["status"]["phase"] = "Succeeded"
        pod["status"]["containerStatuses"][0] |= {"state": {"terminated": ended}, "ready": False}
        thing["status"] = {"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}

    # Pods

    def _of(self, owner: Data, namespace: str, name: str, template: Data) -> Data:
        self.count += 1
        return {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{self.count}",
            "creationTimestamp": f"2030-01-01T00:{self.count // 60 % 60:02}:{self.count % 60:02}Z",
            "labels": dict((template.get("metadata") or {}).get("labels") or {}),
            "annotations": dict((template.get("metadata") or {}).get("annotations") or {}),
            "ownerReferences": [
                {
                    "uid": owner["metadata"]["uid"],
                    "name": owner["metadata"]["name"],
                    "controller": True,
                }
            ],
        }

    def _owned(self, plural: str, namespace: str, owner: Data) -> dict[str, Data]:
        uid = owner["metadata"]["uid"]
        return {
            key[2]: thing
            for key, thing in self.store.items()
            if key[:2] == (plural, namespace)
            and any(o["uid"] == uid for o in thing["metadata"].get("ownerReferences", ()))
        }

    def _pods(
        self,
        namespace: str,
        owner: Data,
        prefix: str,
        template: Data,
        wanted: int,
        marks: Data,
        *,
        plain: bool = False,
    ) -> list[Data]:
        """The pods of one template: missing ones are made, surplus ones go."""
        pods = {
            name: pod
            for name, pod in self._owned("pods", namespace, owner).items()
            if all(pod["metadata"]["labels"].get(key) == value for key, value in marks.items())
        }
        while len(pods) < wanted:
            self.count += 1
            name = f"{prefix}-{len(pods)}" if plain else f"{prefix}-p{self.count:04}"
            meta = self._of(owner, namespace, name, template)
            meta["labels"] |= marks
            pod = {"metadata": meta, "spec": copy.deepcopy(template["spec"])}
            self.store["pods", namespace, name] = pods[name] = pod
        for name in list(pods)[wanted:]:
            del self.store["pods", namespace, name]
            del pods[name]
        for pod in pods.values():
            live(pod, self.behaviour(pod))
        return list(pods.values())


def _digest(template: Data) -> str:
    """What is empty is not there, as the API has it."""
    meta = {key: value for key, value in (template.get("metadata") or {}).items() if value}
    text = json.dumps({**template, "metadata": meta}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]
