"""Looks at a cluster, and asks it what applying objects would do; changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from msctl.engines.kubernetes.client import APPLY, Client
from msctl.engines.kubernetes.cluster import Answer, Cluster, Names
from msctl.engines.kubernetes.faults import (
    FORBIDDEN,
    INVALID,
    MISSING,
    Refused,
    conflict,
    kind_missing,
)
from msctl.engines.kubernetes.kinds import (
    APPLIED,
    AUTOSCALER,
    CLAIM,
    CONTROLLER_REVISION,
    ENDPOINT_SLICE,
    EVENT,
    INGRESS_ROUTE,
    INSTANCE,
    JOB,
    MANAGED_BY,
    MANAGER,
    NAMESPACE,
    POD,
    POD_METRICS,
    REPLICA_SET,
    SECRET,
    SERVICE,
    STATEFUL_SET,
    WORKLOADS,
    Data,
    Key,
    Kind,
    is_built_in,
    is_controlled,
    key_of,
    kind_of,
    labels_of,
)
from msctl.errors import MsctlError
from msctl.model import Stack

PARALLEL = 8
"""Questions under way at once."""
SEEN = (*WORKLOADS, SERVICE, AUTOSCALER, CLAIM, INGRESS_ROUTE)
"""What a status is made of."""
_DEFAULTS = {
    ("ConfigMap", "kube-root-ca.crt"),
    ("ServiceAccount", "default"),
    ("Service", "kubernetes"),
}
_ISSUED = "cert-manager.io/certificate-name"
"""The annotation of a Secret that cert-manager made for a Certificate of ours."""
_REVISIONS = (REPLICA_SET, CONTROLLER_REVISION)
_DERIVED = (POD, ENDPOINT_SLICE, CLAIM, *_REVISIONS)
"""What controllers make and label: they do not say that msctl manages it."""


class Observer:
    """Looks at one stack in one namespace."""

    def __init__(self, client: Client, stack: Stack, namespace: str) -> None:
        self._client = client
        self._stack = stack
        self.names = Names.of(stack)
        self.namespace = namespace
        self.selector = f"{INSTANCE}={stack.name}"
        self._ours = f"{self.selector},{MANAGED_BY}={MANAGER}"

    @property
    def _kubectl(self) -> str:
        return f"{self._client.kubectl} -n {self.namespace}"

    # Looking

    def status(self) -> Cluster:
        """What is needed to tell how the stack is."""
        return self._look(SEEN, optional=(AUTOSCALER, CLAIM, INGRESS_ROUTE))

    def inventory(self, rendered: Sequence[Kind]) -> Cluster:
        """Everything of ours. A kind that is not rendered, and that we may not list, cannot have
        been made by us."""
        optional = [kind for kind in APPLIED if kind not in rendered]
        return self._look(APPLIED, [*optional, *_REVISIONS], _REVISIONS)

    def pods(self) -> list[Data]:
        """The stack's pods alone."""
        return self._list(POD, optional=False)

    def _look(
        self, kinds: Sequence[Kind], optional: Sequence[Kind], revisions: Sequence[Kind] = ()
    ) -> Cluster:
        lists = [*kinds, POD, ENDPOINT_SLICE, *revisions]
        with ThreadPoolExecutor(PARALLEL, thread_name_prefix="msctl-list") as pool:
            exists = pool.submit(self._home_exists)
            listed = list(pool.map(lambda k: self._listed(k, k in optional), lists))
        if refused := [one for one in listed if isinstance(one, Refused)]:
            raise Refused(
                FORBIDDEN, {"message": _lines(refused), "reason": "Forbidden"}, hint=refused[0].hint
            )
        found = {
            kind: one
            for kind, one in zip(lists, listed, strict=True)
            if not isinstance(one, Refused)
        }
        objects = {
            key_of(thing): thing
            for kind in kinds
            for thing in found[kind]
            if not is_controlled(thing)
        }
        return Cluster(
            namespace=self.namespace,
            names=self.names,
            exists=exists.result(),
            objects=objects,
            pods=tuple(found[POD]),
            slices=tuple(found[ENDPOINT_SLICE]),
            revisions=tuple(thing for kind in revisions for thing in found[kind]),
        )

    def _listed(self, kind: Kind, optional: bool) -> list[Data] | Refused:
        """What we may not list is told with all else that we may not."""
        try:
            return self._list(kind, optional)
        except Refused as refused:
            if refused.status != FORBIDDEN:
                raise
            return refused

    def _list(self, kind: Kind, optional: bool) -> list[Data]:
        """The stack's objects of a kind, each with its kind, which a list leaves out."""
        selector = self.selector if kind in _DERIVED else self._ours
        try:
            found = self._client.items(kind.path(self.namespace), labelSelector=selector)
        except Refused as refused:
            if refused.status == MISSING or (optional and refused.status == FORBIDDEN):
                return []
            raise
        return [{"apiVersion": kind.api_version, "kind": kind.kind, **thing} for thing in found]

    def _home_exists(self) -> bool:
        try:
            self._client.get(NAMESPACE.path(self.namespace, self.namespace))
        except Refused as refused:
            if refused.status == FORBIDDEN:
                return True  # who may not see it works in one that somebody made
            if refused.status == MISSING:
                return False
            raise
        return True

    def strangers(self) -> tuple[str, ...]:
        """What is in the namespace and not ours; what every namespace has is not meant."""
        kinds = [k for k in APPLIED if k.namespaced and is_built_in(k.group)]
        with ThreadPoolExecutor(PARALLEL, thread_name_prefix="msctl-list") as pool:
            found = pool.map(lambda k: (k, self._all(k)), [*kinds, POD])
        return tuple(
            f"{kind.kind.lower()}/{thing['metadata']['name']}"
            for kind, things in found
            for thing in things
            if labels_of(thing).get(INSTANCE) != self._stack.name
            and (kind.kind, thing["metadata"]["name"]) not in _DEFAULTS
            and not is_controlled(thing)
            and _ISSUED not in (thing["metadata"].get("annotations") or {})
        )

    def _all(self, kind: Kind) -> list[dict[str, Any]]:
        try:
            return self._client.items(kind.path(self.namespace))
        except Refused as refused:
            if refused.status in (FORBIDDEN, MISSING):
                return []
            raise

    def checks(self) -> Mapping[str, str]:
        """What the kubelet last said of probes that fail, by pod."""
        try:
            found = self._client.items(EVENT.path(self.namespace), fieldSelector="reason=Unhealthy")
        except Refused:
            return {}
        found.sort(key=lambda event: event.get("lastTimestamp") or "")
        return {
            event["involvedObject"]["name"]: " ".join(event.get("message", "").split())
            for event in found
            if (event.get("involvedObject") or {}).get("name")
        }

    def metrics(self) -> list[dict[str, Any]]:
        """What metrics-server measured; nothing where there is none."""
        try:
            return self._client.items(POD_METRICS.path(self.namespace), labelSelector=self.selector)
        except Refused:
            return []

    def secret(self, name: str) -> Data | None:
        return self._get(SECRET, name)

    # Asking

    def ask(self, cluster: Cluster, objects: Sequence[Data], again: str) -> list[Answer]:
        """Apply each object in a server-side dry run.

        Raises:
            KindMissing: the cluster does not know a kind.
            MsctlError: a conflict, or what the server refuses; nothing was changed.
        """
        self._check_kinds({kind_of(thing) for thing in objects})
        with ThreadPoolExecutor(PARALLEL, thread_name_prefix="msctl-ask") as pool:
            found = list(pool.map(lambda o: _caught(self._answer, cluster, o, again), objects))
        if faults := [f for f in found if isinstance(f, MsctlError)]:
            raise _together(faults)
        return [f for f in found if isinstance(f, Answer)]

    def _check_kinds(self, kinds: set[Kind]) -> None:
        for group, version in sorted({(k.group, k.version) for k in kinds}):
            if is_built_in(group):
                continue
            try:
                self._client.get(f"/apis/{group}/{version}")
            except Refused as refused:
                if refused.status == MISSING:
                    raise kind_missing(group, version, self._client.kubectl) from refused
                raise

    def _answer(self, cluster: Cluster, wanted: Data, again: str) -> Answer:
        kind, key = kind_of(wanted), key_of(wanted)
        if kind.namespaced and not cluster.exists:
            return Answer(wanted, None, None)
        live = cluster.objects.get(key) or self._get(kind, key.name)
        if live is not None and labels_of(live).get(INSTANCE) != self._stack.name:
            raise MsctlError(
                f"{key} is there already, and msctl did not make it for {self._stack.name}",
                hint=f"rename it in the stack file, or hand it over: "
                f"{self._kubectl} "
                f"label {key} {MANAGED_BY}={MANAGER} {INSTANCE}={self._stack.name} --overwrite",
            )
        try:
            return Answer(wanted, live, self._dry_run(kind, wanted))
        except Refused as refused:
            if refused.is_our_own:
                return Answer(wanted, live, self._dry_run(kind, wanted, force=True), force=True)
            if refused.is_conflict:
                raise conflict(str(key), refused, again, self._kubectl) from refused
            if refused.status == INVALID and live is not None:
                if kind == JOB and "immutable" in refused.message:
                    return Answer(wanted, live, None, immutable=refused)
                raise explained(key, refused, self._in_place_of(kind, key)) from refused
            raise explained(key, refused) from refused

    def _in_place_of(self, kind: Kind, key: Key) -> str | None:
        """What makes room for an object whose fields cannot be changed."""
        if kind not in (STATEFUL_SET, SERVICE):
            return None
        kept = " --cascade=orphan" if kind == STATEFUL_SET else ""
        why = "its pod and its volumes stay" if kept else "it is not reached for a moment"
        return (
            f"what cannot be changed in place is made anew: {self._kubectl} delete {key}{kept} "
            f"({why}), then msctl up"
        )

    def _dry_run(self, kind: Kind, wanted: Data, *, force: bool = False) -> Data:
        path = kind.path(self.namespace, wanted["metadata"]["name"])
        query = {"fieldManager": MANAGER, "force": str(force).lower(), "dryRun": "All"}
        found = self._client.call("PATCH", path, query, wanted, APPLY)
        return {"apiVersion": kind.api_version, "kind": kind.kind, **found}

    def _get(self, kind: Kind, name: str) -> Data | None:
        try:
            found = self._client.get(kind.path(self.namespace, name))
        except Refused as refused:
            if refused.status == MISSING:
                return None
            raise
        return {"apiVersion": kind.api_version, "kind": kind.kind, **found}


def explained(key: Key, refused: Refused, hint: str | None = None) -> Refused:
    """A refusal that says of which object it is."""
    if refused.status == FORBIDDEN:
        return refused
    return Refused(
        refused.status,
        {
            "message": f"{key}: {refused.message}",
            "reason": refused.reason,
            "details": refused.details,
        },
        hint=hint or refused.hint,
    )


def _caught(
    ask: Callable[[Cluster, Data, str], Answer], cluster: Cluster, wanted: Data, again: str
) -> Answer | MsctlError:
    try:
        return ask(cluster, wanted, again)
    except Refused as refused:
        return refused
    except MsctlError as error:
        if error.exit_status != MsctlError.exit_status:
            raise  # the server is away: there is nothing more to ask
        return error


def _together(faults: Sequence[MsctlError]) -> MsctlError:
    """All that stands in the way, at once; nothing was changed."""
    hint = next((fault.hint for fault in faults if fault.hint), None)
    return MsctlError(f"{_lines(faults)}\nnothing was changed", hint=hint)


def _lines(faults: Sequence[MsctlError]) -> str:
    """Their messages, each once."""
    return "\n".join(dict.fromkeys(fault.message for fault in faults))
