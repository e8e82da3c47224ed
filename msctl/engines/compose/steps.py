"""The operations of a stack on a Docker engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from msctl.plan import Step, Wait


@dataclass(frozen=True, kw_only=True)
class ProvideImage(Step):
    """Have an image on the engine: present, else pulled, else built."""

    verb: ClassVar[str] = "provide image"
    build: Mapping[str, Any] | None = None
    """Compose's `build`, with an absolute context."""
    optional: bool = False
    """Whether the stack can do without."""
    force: Literal["", "pull", "build"] = ""
    """Pull or build although it is present."""


@dataclass(frozen=True, kw_only=True)
class WriteSecret(Step):
    """Have a secret's file beside the stack file; a new secret is random."""

    verb: ClassVar[str] = "write secret"
    path: str
    """Absolute path of the file."""
    secret: str
    """Name of the secret that goes into the file."""
    template: str | None = None


@dataclass(frozen=True, kw_only=True)
class CreateNetwork(Step):
    verb: ClassVar[str] = "create network"
    labels: Mapping[str, str]
    options: Mapping[str, Any] = field(default_factory=dict)
    """Compose's top-level network."""


@dataclass(frozen=True, kw_only=True)
class RemoveNetwork(Step):
    verb: ClassVar[str] = "remove network"


@dataclass(frozen=True, kw_only=True)
class CreateVolume(Step):
    verb: ClassVar[str] = "create volume"
    labels: Mapping[str, str]
    options: Mapping[str, Any] = field(default_factory=dict)
    """Compose's top-level volume."""


@dataclass(frozen=True, kw_only=True)
class RemoveVolume(Step):
    verb: ClassVar[str] = "remove volume"


@dataclass(frozen=True, kw_only=True)
class RecordIntent(Step):
    """Write down how many replicas a service shall have, before anything is done about it."""

    verb: ClassVar[str] = "record scale of"
    labels: Mapping[str, str]
    volume: str
    """The generation to create."""
    replaces: tuple[str, ...] = ()
    """The generations to delete, once the new one is there."""


@dataclass(frozen=True, kw_only=True)
class CreateContainer(Step):
    verb: ClassVar[str] = "create"
    body: Mapping[str, Any]
    """The engine API's body of a create call."""
    networks: Mapping[str, Mapping[str, Any]]
    """Endpoint settings by the engine's network name; the first is given at creation."""
    platform: str | None = None


@dataclass(frozen=True, kw_only=True)
class StartContainer(Step):
    verb: ClassVar[str] = "start"


@dataclass(frozen=True, kw_only=True)
class StopContainer(Step):
    verb: ClassVar[str] = "stop"
    grace: float
    """Seconds between SIGTERM and SIGKILL."""


@dataclass(frozen=True, kw_only=True)
class RemoveContainer(Step):
    """Remove a container that has ended; its anonymous volumes go with it."""

    verb: ClassVar[str] = "remove"


@dataclass(frozen=True, kw_only=True)
class AwaitHealthy(Wait):
    """Wait until a container is healthy; without a health check, until it keeps running."""

    verb: ClassVar[str] = "await healthy"
    checked: bool
    """Whether a health check runs in the container."""


@dataclass(frozen=True, kw_only=True)
class AwaitCompleted(Wait):
    """Wait until a job has ended with success."""

    verb: ClassVar[str] = "await end of"


@dataclass(frozen=True, kw_only=True)
class AwaitRouted(Wait):
    """Wait until the gateway lists a container as UP."""

    verb: ClassVar[str] = "await routed"
    poll: ClassVar[float | None] = 0.05
    network: str
    """The engine's name of the network by which the gateway reaches it."""
    port: int
