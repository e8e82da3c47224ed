"""A project on an engine, as it was observed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from msctl.frozen import dataclass
from msctl.state.gateway import GatewayView
from msctl.state.replica import Replica


@dataclass(frozen=True)
class Intent:
    """How many replicas a service shall have, as somebody asked for."""

    service: str
    replicas: int
    cause: str
    generation: int
    volume: str
    """Name of the empty volume that holds it in its labels."""
    bounded: bool = True
    """Whether the file's bounds hold for it; not where the engine's own word is the last."""


@dataclass(frozen=True)
class ImageState:
    """An image that is present on the engine."""

    id: str
    stand_in: bool
    """Built in place of an official image that could not be pulled."""
    health_check: bool = False
    """Whether the image brings a health check of its own."""


@dataclass(frozen=True)
class Resource:
    """A network or volume of the engine."""

    name: str
    project: str | None
    """The Compose project that it belongs to."""


PODMAN = "Podman"
"""The product that speaks Docker's API, but is not Docker."""


@dataclass(frozen=True)
class EngineInfo:
    """The engine that answered."""

    id: str
    version: str
    api: tuple[int, int]
    cpus: int
    memory: int
    """Bytes."""
    address: str
    product: str = "Docker"
    rootless: bool = False
    """Whether a user of its machine runs it, who has no more rights there than others."""
    selinux: bool = False
    """Whether SELinux keeps its containers from what is its machine's."""
    limits: bool = True
    """Whether it can limit what containers take, and measure it: without control groups it cannot,
    as a rootless one under version 1 of them."""
    folder: str | None = None
    """Where it keeps images and volumes, on its machine."""
    guarded: bool = True
    """Whether services of msctl's own stand between it and the gateway and autoscaler."""
    forward: str = ""
    """The command that brings a port to this machine, with `{service}` and `{port}`, where the
    engine publishes none."""


@dataclass(frozen=True)
class StackState:
    """One snapshot of a project on an engine."""

    project: str
    engine: EngineInfo
    containers: tuple[Replica, ...]
    """Every container that carries the project's label, by service and number."""
    networks: Mapping[str, Resource]
    volumes: Mapping[str, Resource]
    images: Mapping[str, ImageState]
    """Present images, by reference; a missing one has no entry."""
    intents: tuple[Intent, ...] = ()
    busy_ports: Mapping[str, str] = field(default_factory=dict)
    """Who holds a host port that the stack wants to publish, by `[HOST:]PORT/PROTOCOL`: a
    container of another project or a process of the host."""
    secret_files: frozenset[str] = frozenset()
    """Absolute paths of the secrets that exist beside the stack file."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Digests of what is in them, by path."""
    gateway: GatewayView | None = None
    """None when the stack has no gateway, or its API has no address."""
    published: tuple[str, ...] | None = None
    """URLs at which the stack is reached, where the engine gives them out; None: by the ports that
    the file publishes."""

    def of(self, service: str) -> tuple[Replica, ...]:
        """The replicas of a service, by number; one-off containers are not among them."""
        return tuple(c for c in self.containers if c.service == service and not c.oneoff)

    def intent(self, service: str) -> Intent | None:
        """The one in force: the highest generation wins."""
        found = [intent for intent in self.intents if intent.service == service]
        return max(found, key=lambda intent: intent.generation, default=None)
