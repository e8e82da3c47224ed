"""The operations of a stack on a Docker engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, ClassVar, Literal

from msctl.engines.compose.servers import Server
from msctl.frozen import dataclass
from msctl.plan import Step, Wait
from msctl.render.pins import Slot


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
class KeepImage(Step):
    """Tag the image of the revision before, so that nobody prunes it."""

    verb: ClassVar[str] = "keep image"
    image_id: str


def previous_tag(project: str, service: str) -> str:
    """What keeps the image of a service's revision before."""
    return f"{project}-{service}:previous"


@dataclass(frozen=True, kw_only=True)
class ReleaseImage(Step):
    """Take the tag away that kept an image, if it still leads to that one; the engine removes what
    has no other tag and no container."""

    verb: ClassVar[str] = "release image"
    image_id: str


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
class JoinNetwork(Step):
    """Have a container that runs on one more network."""

    verb: ClassVar[str] = "join network"
    container: str


@dataclass(frozen=True, kw_only=True)
class LeaveNetwork(Step):
    """Take a container off a network that it has no business on any more."""

    verb: ClassVar[str] = "leave network"
    container: str


@dataclass(frozen=True, kw_only=True)
class CreateVolume(Step):
    verb: ClassVar[str] = "create volume"
    labels: Mapping[str, str]
    options: Mapping[str, Any] = field(default_factory=dict)
    """Compose's top-level volume."""
    secrets: tuple[str, ...] = ()
    """Absolute paths of secrets that this plan makes for the database on it: whoever makes the
    volume first has the ones that it keeps."""


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
    """Remove a container that has ended; its anonymous volumes go with it, unless they are kept."""

    verb: ClassVar[str] = "remove"
    keep_volumes: bool = False


@dataclass(frozen=True, kw_only=True)
class AwaitHealthy(Wait):
    """Wait until a container is healthy; without a health check, until it keeps running, or another
    replica of its version has shown that it does."""

    verb: ClassVar[str] = "await healthy"
    checked: bool
    """Whether a health check runs in the container."""
    version: str
    """What it is a copy of."""


@dataclass(frozen=True, kw_only=True)
class AwaitCheck(AwaitHealthy):
    """Wait until a container passes its health check, whether its engine runs that or msctl: what
    needs it may start."""

    verb: ClassVar[str] = "await check of"
    filled: frozenset[str] = frozenset()
    """Its volumes that were there before the plan."""


@dataclass(frozen=True, kw_only=True)
class AwaitSteady(Wait):
    """See that a container stays healthy for some time, and has not ended since the plan began."""

    verb: ClassVar[str] = "await steady"
    poll: ClassVar[float | None] = 0.05
    checked: bool
    """Whether a health check runs in the container."""
    seconds: float


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


@dataclass(frozen=True, kw_only=True)
class WritePin(Step):
    """Write a pin's file, which must not be in force (DESIGN: a pin in force is never
    overwritten, since the gateway reads the gap between its removal and its return)."""

    verb: ClassVar[str] = "pin"
    slot: Slot
    labels: Mapping[str, str]
    """The Traefik labels that the pin is made from."""
    servers: tuple[Server, ...]
    health_check: bool = True


@dataclass(frozen=True, kw_only=True)
class EmptyPin(Step):
    verb: ClassVar[str] = "unpin"
    slot: Slot


@dataclass(frozen=True, kw_only=True)
class AwaitPinned(Wait):
    """Wait until the gateway follows a pin."""

    verb: ClassVar[str] = "await pin of"
    poll: ClassVar[float | None] = 0.05
    slot: Slot
    servers: tuple[Server, ...]


@dataclass(frozen=True, kw_only=True)
class AwaitUnpinned(Wait):
    """Wait until the gateway has forgotten a pin."""

    verb: ClassVar[str] = "await unpin of"
    poll: ClassVar[float | None] = 0.05
    slot: Slot


@dataclass(frozen=True, kw_only=True)
class AwaitServers(Wait):
    """Wait until the gateway, by the labels, lists these servers and none that is gone."""

    verb: ClassVar[str] = "await servers of"
    poll: ClassVar[float | None] = 0.05
    servers: tuple[Server, ...]


@dataclass(frozen=True, kw_only=True)
class Drain(Wait):
    """Let the requests end that are inside replicas which get no new ones."""

    verb: ClassVar[str] = "drain"
    poll: ClassVar[float | None] = 0.05
    seconds: float


@dataclass(frozen=True, kw_only=True)
class WriteProbe(Step):
    """Let the gateway reach one new replica at a path of its own, on msctl's entry point."""

    verb: ClassVar[str] = "probe"
    server: Server
    path: str
    """The health check's path."""


@dataclass(frozen=True, kw_only=True)
class AwaitProbe(Wait):
    """Wait until a new replica answers its health check through the gateway."""

    verb: ClassVar[str] = "await answer of"
    poll: ClassVar[float | None] = 0.1


@dataclass(frozen=True, kw_only=True)
class EmptyProbe(Step):
    verb: ClassVar[str] = "end probe of"


@dataclass(frozen=True, kw_only=True)
class ClearPins(Step):
    """Empty what a killed msctl left in the gateway's folder, while the gateway does not run."""

    verb: ClassVar[str] = "clear pins of"
