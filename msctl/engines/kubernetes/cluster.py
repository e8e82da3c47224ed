"""What was seen of a stack in a cluster: the API's own objects, with no decision in it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from msctl.engines.kubernetes.api.faults import Refused
from msctl.engines.kubernetes.kinds import (
    AUTOSCALER,
    CLAIM,
    DEPLOYMENT,
    JOB,
    SCALED_OBJECT,
    STATEFUL_SET,
    Data,
    Key,
    Kind,
    labels_of,
)
from msctl.model import GATEWAY, Stack
from msctl.render.kubernetes.names import GATEWAY_NAME, NAME, dns_name


@dataclass(frozen=True)
class Names:
    """The services of a stack by the name that they have in a cluster."""

    services: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, stack: Stack) -> Names:
        gateway = {GATEWAY: GATEWAY, GATEWAY_NAME: GATEWAY} if stack.routed else {}
        return cls({**{dns_name(name): name for name in stack.services}, **gateway})

    def service_of(self, thing: Data) -> str:
        """The service that an object belongs to; empty for what all share."""
        name = labels_of(thing).get(NAME, "")
        return self.services.get(name, "")


@dataclass(frozen=True)
class Cluster:
    """One snapshot of a stack in its namespace."""

    namespace: str
    names: Names
    exists: bool
    """Whether the namespace is there."""
    objects: Mapping[Key, Data] = field(default_factory=dict)
    """What carries the stack's labels and was not made by a controller."""
    pods: tuple[Data, ...] = ()
    slices: tuple[Data, ...] = ()
    """EndpointSlices: the addresses behind each Service."""
    revisions: tuple[Data, ...] = ()
    """ReplicaSets and ControllerRevisions, which keep the templates of earlier revisions; only
    where something may be changed."""
    strangers: tuple[str, ...] = ()
    """What is in the namespace and not ours."""
    leaving: bool = False
    """Whether the namespace is being removed."""

    def get(self, kind: Kind, name: str) -> Data | None:
        return self.objects.get(Key(kind.group, kind.kind, name))

    def of(self, kind: Kind) -> tuple[Data, ...]:
        return tuple(
            found
            for key, found in sorted(self.objects.items())
            if (key.group, key.kind) == (kind.group, kind.kind)
        )

    def service_of(self, thing: Data) -> str:
        return self.names.service_of(thing)

    def workload(self, service: str) -> Data | None:
        """What runs a service's pods."""
        for kind in (DEPLOYMENT, STATEFUL_SET, JOB):
            for found in self.of(kind):
                if self.service_of(found) == service:
                    return found
        return None

    def autoscaler(self, workload: Data) -> Data | None:
        """The HorizontalPodAutoscaler, or KEDA's ScaledObject, that sets a workload's replicas."""
        every = (*self.of(AUTOSCALER), *self.of(SCALED_OBJECT))
        return next((found for found in every if scales(found, workload)), None)

    @property
    def claims(self) -> tuple[Data, ...]:
        return self.of(CLAIM)


def scales(autoscaler: Data, workload: Data) -> bool:
    target = autoscaler["spec"]["scaleTargetRef"]
    name = workload["metadata"]["name"]
    return (target["kind"], target["name"]) == (workload["kind"], name)


@dataclass(frozen=True)
class Answer:
    """A rendered object, and what the server says that applying it would do."""

    wanted: Data
    live: Data | None
    """As it is; None when it is not there."""
    result: Data | None
    """As it would be; None when the server could not be asked, since its namespace is missing."""
    force: bool = False
    """Whether it takes fields back that msctl wrote in another way."""
    immutable: Refused | None = None
    """Why it cannot be changed, only replaced."""


def replicas_of(workload: Data) -> int:
    found = workload["spec"].get("replicas")
    return 1 if found is None else int(found)


def template_of(workload: Data) -> Data:
    found: Data = workload["spec"]["template"]
    return found
