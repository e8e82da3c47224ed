"""What shall be in the cluster: the rendered objects, and how they meet what runs. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from msctl.engines.kubernetes.cluster import Cluster, Names, replicas_of, scales
from msctl.engines.kubernetes.kinds import (
    AUTOSCALER,
    MANAGER,
    NAMESPACE,
    Data,
    Key,
    is_workload,
    key_of,
)
from msctl.model import GATEWAY, Stack


@dataclass(frozen=True)
class Desired:
    """A stack's objects, in the order of application."""

    stack: Stack
    namespace: str
    objects: tuple[Data, ...]

    @cached_property
    def keys(self) -> frozenset[Key]:
        return frozenset(map(key_of, self.objects))

    @cached_property
    def _names(self) -> Names:
        return Names.of(self.stack)

    def service_of(self, thing: Data) -> str:
        return self._names.service_of(thing)

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.stack.services, *([GATEWAY] if self.stack.routed else []))

    def workload(self, service: str) -> Data | None:
        """What runs a service's pods, as it is rendered."""
        found = (o for o in self.objects if is_workload(o) and self.service_of(o) == service)
        return next(found, None)

    def autoscaler(self, workload: Data) -> Data | None:
        kind = AUTOSCALER.kind
        found = (o for o in self.objects if o["kind"] == kind and scales(o, workload))
        return next(found, None)

    def needs(self, service: str) -> tuple[str, ...]:
        known = self.stack.services.get(service)
        return known.needs if known is not None else ()


def as_it_runs(wanted: Data, live: Data | None, *, reset_scale: bool = False) -> Data:
    """A workload with the replicas that it has: a manual scale stays, and so does the autoscaler's.

    Where the autoscaler sets them, the file names none; but what msctl once applied must not be
    left out then, since the server would take it for a wish to return to one replica.
    """
    if live is None or wanted["kind"] not in ("Deployment", "StatefulSet"):
        return wanted
    spec = wanted["spec"]
    if "replicas" in spec and reset_scale:
        return wanted
    if "replicas" not in spec and not _applied_replicas(live):
        return wanted
    return {**wanted, "spec": {**spec, "replicas": replicas_of(live)}}


def _applied_replicas(live: Data) -> bool:
    """Whether our last application named the replicas, and nobody has changed them since."""
    return any(
        entry.get("manager") == MANAGER
        and entry.get("operation") == "Apply"
        and "f:replicas" in ((entry.get("fieldsV1") or {}).get("f:spec") or {})
        for entry in live["metadata"].get("managedFields") or ()
    )


def without_home(objects: Sequence[Data], cluster: Cluster) -> tuple[Data, ...]:
    """The objects, less a namespace that somebody else made: it stays as it is."""
    taken = cluster.exists and cluster.get(NAMESPACE, cluster.namespace) is None
    return tuple(o for o in objects if not (taken and o["kind"] == NAMESPACE.kind))
