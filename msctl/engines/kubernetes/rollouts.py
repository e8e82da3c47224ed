"""How far a workload is with what it shall be, and what its pods wait for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from msctl.engines.kubernetes.cluster import replicas_of
from msctl.engines.kubernetes.kinds import Data


@dataclass(frozen=True)
class Progress:
    """How far it is; `failure` says why it will never be done."""

    done: bool
    text: str
    failure: str | None = None


def progress(workload: Data, stale: str = "") -> Progress:
    """As `kubectl rollout status` sees it; `stale` is a time of giving up that does not count."""
    kind = workload["kind"]
    if kind == "Job":
        return _of_job(workload)
    status, generation = workload.get("status") or {}, workload["metadata"].get("generation", 0)
    if status.get("observedGeneration", 0) < generation:
        return Progress(False, "not seen by its controller yet")
    if kind == "Deployment":
        return _of_deployment(workload, stale)
    return _of_stateful_set(workload)


def given_up(workload: Data) -> str:
    """When its controller gave a rollout up; empty where it has not."""
    found = condition(workload, "Progressing")
    if found is None or found.get("reason") != "ProgressDeadlineExceeded":
        return ""
    return str(found.get("lastUpdateTime") or found.get("lastTransitionTime") or "once")


def _of_deployment(workload: Data, stale: str) -> Progress:
    status, wanted = workload.get("status") or {}, replicas_of(workload)
    found = condition(workload, "Progressing")
    updated, total = status.get("updatedReplicas", 0), status.get("replicas", 0)
    available = status.get("availableReplicas", 0)
    text = f"{min(updated, available)} of {wanted} ready"
    if found is not None and given_up(workload) not in ("", stale):
        return Progress(False, text, failure=str(found.get("message") or "it makes no progress"))
    if updated < wanted:
        refused = condition(workload, "ReplicaFailure")
        why = f": {refused.get('message')}" if refused is not None and is_true(refused) else ""
        return Progress(False, f"{updated} of {wanted} started{why}")
    if total > updated:
        return Progress(False, f"{text}, {total - updated} old ones to go")
    return Progress(available >= updated, text)


def _of_stateful_set(workload: Data) -> Progress:
    status, wanted = workload.get("status") or {}, replicas_of(workload)
    ready = status.get("readyReplicas", 0)
    if ready < wanted:
        return Progress(False, f"{ready} of {wanted} ready")
    current, update = status.get("currentRevision"), status.get("updateRevision")
    if current != update and status.get("updatedReplicas", 0) < wanted:
        return Progress(False, f"{status.get('updatedReplicas', 0)} of {wanted} updated")
    return Progress(True, f"{ready} of {wanted} ready")


def _of_job(job: Data) -> Progress:
    if is_true(condition(job, "Complete")):
        return Progress(True, "done")
    failed = condition(job, "Failed")
    if is_true(failed):
        assert failed is not None
        return Progress(False, "failed", failure=str(failed.get("message") or "it failed"))
    return Progress(False, "running" if (job.get("status") or {}).get("active") else "not started")


def condition(thing: Data, kind: str) -> Data | None:
    found = (thing.get("status") or {}).get("conditions") or ()
    return next((c for c in found if c.get("type") == kind), None)


def is_true(found: Data | None) -> bool:
    return found is not None and found.get("status") == "True"


def selects(workload: Data, pod: Data) -> bool:
    """Whether a pod is one of a workload's."""
    labels = pod["metadata"].get("labels") or {}
    if workload["kind"] == "Job":
        owners = pod["metadata"].get("ownerReferences") or ()
        return any(owner.get("name") == workload["metadata"]["name"] for owner in owners)
    wanted = (workload["spec"].get("selector") or {}).get("matchLabels") or {}
    return bool(wanted) and all(labels.get(key) == value for key, value in wanted.items())


def is_leaving(pod: Data) -> bool:
    return bool(pod["metadata"].get("deletionTimestamp"))


def is_ready(pod: Data) -> bool:
    return is_true(condition(pod, "Ready"))


def containers(pod: Data) -> list[Any]:
    """The states of a pod's containers, those that come first first."""
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def waiting(pod: Data) -> str | None:
    """Why a pod does not run, in the words of whoever keeps it from it."""
    for container in containers(pod):
        state = container.get("state") or {}
        ended = (state.get("terminated") or {}).get("exitCode")
        if found := state.get("waiting"):
            reason, message = found.get("reason", ""), " ".join(found.get("message", "").split())
            if reason == "PodInitializing":
                continue
            return f"{reason}: {message}" if message else str(reason)
        if ended:
            return f"{container['name']} ended with status {ended}"
    placed = condition(pod, "PodScheduled")
    if placed is not None and placed.get("status") == "False":
        return f"{placed.get('reason', 'Unschedulable')}: {placed.get('message', '')}"
    return None


def troubles(pods: Iterable[Data]) -> Iterator[tuple[Data, str]]:
    """The pods that are not as they should be, each with why."""
    for pod in pods:
        phase = (pod.get("status") or {}).get("phase")
        if is_leaving(pod) or is_ready(pod) or phase == "Succeeded":
            continue
        why = waiting(pod)
        if why is None:
            why = "is not ready" if phase == "Running" else str(phase or "Pending")
        yield pod, why


def troubled_container(pod: Data) -> tuple[str | None, bool]:
    """The container whose log tells most, and whether it is that of its life before."""
    for container in containers(pod):
        state = container.get("state") or {}
        if not container.get("ready") and "terminated" not in state:
            again = "waiting" in state and container.get("restartCount", 0) > 0
            return container.get("name"), again
    return next((c.get("name") for c in containers(pod)), None), False
