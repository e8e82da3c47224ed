"""Looks at a cluster; changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from msctl.engines.kubernetes.api.client import Client
from msctl.engines.kubernetes.api.faults import FORBIDDEN, MISSING, Refused, messages
from msctl.engines.kubernetes.cluster import Cluster, Names
from msctl.engines.kubernetes.kinds import (
    APPLIED,
    AUTOSCALER,
    CLAIM,
    CONTROLLER_REVISION,
    ENDPOINT_SLICE,
    EVENT,
    INGRESS_ROUTE,
    MANAGER,
    NAMESPACE,
    POD,
    POD_METRICS,
    REPLICA_SET,
    SERVICE,
    WORKLOADS,
    Data,
    Kind,
    is_built_in,
    is_controlled,
    key_of,
    labels_of,
)
from msctl.engines.kubernetes.rollouts import is_leaving
from msctl.errors import EngineUnreachable
from msctl.model import Stack
from msctl.render.kubernetes.names import INSTANCE, MANAGED_BY

PARALLEL = 8
"""Questions under way at once."""
SEEN = (*WORKLOADS, SERVICE, AUTOSCALER, CLAIM, INGRESS_ROUTE)
"""What a status is made of."""
_DEFAULTS = {
    ("ConfigMap", "kube-root-ca.crt"),
    ("ServiceAccount", "default"),
    ("Service", "kubernetes"),
}
_BARE: Data = {"metadata": {}}
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
            home = pool.submit(self._home)
            listed = list(pool.map(lambda k: self._listed(k, k in optional), lists))
        if refused := [one for one in listed if isinstance(one, Refused)]:
            raise Refused(
                FORBIDDEN,
                {"message": messages(refused), "reason": "Forbidden"},
                hint=refused[0].hint,
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
            exists=home.result() is not None,
            leaving=is_leaving(home.result() or _BARE),
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

    def _home(self) -> Data | None:
        try:
            return self._client.get(NAMESPACE.path(self.namespace, self.namespace))
        except Refused as refused:
            if refused.status == FORBIDDEN:
                return _BARE  # who may not see it works in one that somebody made
            if refused.status == MISSING:
                return None
            raise

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
        except (Refused, EngineUnreachable):  # it is a server of its own, behind the API's
            return []
