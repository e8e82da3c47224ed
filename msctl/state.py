"""What was observed of a stack: frozen snapshots, no decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum

from msctl.frozen import dataclass


class Health(StrEnum):
    """What the engine says of a container's health check."""

    NONE = "none"
    """The container has no health check."""
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True)
class Detail:
    """What only an inspection of the container tells."""

    started_at: str | None
    """RFC 3339; None before the first start."""
    restarts: int
    oom_killed: bool
    cpu_limit: float | None
    """Processors; None without a limit."""
    memory_limit: int | None
    """Bytes; None without a limit."""
    last_check: str | None
    """First line of the last health check's output."""


@dataclass(frozen=True)
class Usage:
    """What a container takes of the machine now; None is unknown."""

    cpus: float | None
    """Processors kept busy: 1.0 is one of them."""
    memory: int | None
    """Bytes, without what the kernel could give back at once."""
    spent: float | None = None
    """Seconds of processor time since its start."""
    at: float | None = None
    """When that was, in seconds, by the clock of whoever counted."""


@dataclass(frozen=True)
class Replica:
    """One container of the project."""

    id: str
    name: str
    service: str
    number: int
    state: str
    """The engine's word: created, running, paused, restarting, removing, exited or dead."""
    health: Health
    image: str
    image_id: str
    config_hash: str | None
    revision: str | None
    """The rendered service that it was made from, as JSON; None when msctl did not make it."""
    files: str | None
    """Digest of the contents of its mounted files."""
    ours: bool
    """Whether msctl made it."""
    working_dir: str | None
    """Folder of the project that made it."""
    oneoff: bool = False
    """Made by `docker compose run`."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Digests of what its secrets held when it was made, by path."""
    leaving: bool = False
    """An msctl that was interrupted kept requests from it, and may have told it to stop."""
    addresses: Mapping[str, str] = field(default_factory=dict)
    """IP address by the engine's network name; empty while it is not running."""
    routing: Mapping[str, str] = field(default_factory=dict)
    """The Traefik labels that it carries."""
    unnamed: Mapping[str, str] = field(default_factory=dict)
    """Its volumes that have no name in any file, as the engine calls them, by where they are."""
    published: frozenset[tuple[str, int, str]] = frozenset()
    """Its host ports while it runs: address (empty: all), port, protocol."""
    previous: str | None = None
    """The revision before, with its image, as JSON; None when there was none."""
    exit_code: int | None = None
    """Of a container that has ended."""
    detail: Detail | None = None
    reason: str | None = None
    """Why it does not run, in the engine's words, where it says so."""

    @property
    def running(self) -> bool:
        return self.state == "running"

    @property
    def healthy(self) -> bool:
        """Without a health check, healthy is running; what may be about to end is not."""
        return self.running and not self.leaving and self.health in (Health.HEALTHY, Health.NONE)


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
    users: tuple[str, ...] = ()
    """Names of attached containers, where known."""


@dataclass(frozen=True)
class Router:
    """A router of the gateway, as its API lists it."""

    name: str
    rule: str
    entry_points: tuple[str, ...]
    service: str
    priority: int
    tls: bool
    status: str
    provider: str


@dataclass(frozen=True)
class GatewayView:
    """What the gateway's API says; `error` when it did not answer."""

    url: str
    error: str | None = None
    running: bool = True
    """Whether its container runs."""
    version: str | None = None
    servers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """UP or DOWN by server URL, by the gateway's name of the service (`web@docker`)."""
    routers: tuple[Router, ...] = ()

    @property
    def answered(self) -> bool:
        return self.error is None

    def receiving(self, service: str) -> Mapping[str, str]:
        """UP or DOWN of the servers that get a service's requests, by URL: those of the pin in
        force, else those that the gateway found by the labels."""
        pinned = self.pinned(service)
        return self.servers.get(f"{service}@docker", {}) if pinned is None else pinned

    def pinned(self, service: str) -> Mapping[str, str] | None:
        """UP or DOWN by URL of the servers that the pins in force lead to; None without a pin."""
        names = (f"{service}-a@file", f"{service}-b@file")
        pins = [self.servers[name] for name in names if name in self.servers]
        if not pins:
            return None
        return {url: status for servers in pins for url, status in servers.items()}


NO_PASSWORD = "there is none"
"""Why a user's password is to be made."""


@dataclass(frozen=True)
class GatewaySettings:
    """The gateway's own settings (see `msctl.render.settings`): how they shall be, and are."""

    wanted: str
    """Digest of what shall be in force; empty where nothing shall be, or it is not known yet."""
    present: frozenset[str] = frozenset()
    """Digests of the files that the gateway has."""
    certificate_due: str | None = None
    """Why a certificate has to be made first."""
    passwords_due: Mapping[str, str] = field(default_factory=dict)
    """Whose password has to be made first, and why."""

    @property
    def unmade(self) -> bool:
        """Whether what is wanted is not known yet."""
        return bool(self.certificate_due or self.passwords_due)


@dataclass(frozen=True)
class Traffic:
    """What Prometheus knows of a service's requests in the last minute; None is unknown.

    A service that nothing was asked of has a rate of 0 and no latencies.
    """

    rps: float | None = None
    """Requests a second."""
    p50_ms: float | None = None
    p95_ms: float | None = None
    """Milliseconds within which 95 of 100 requests were answered."""
    p99_ms: float | None = None
    error_rate: float | None = None
    """Share of the answers with a status of 500 or more, 0 to 1."""
    servers: int | None = None
    """Servers whose health the gateway checks."""
    servers_up: int | None = None


@dataclass(frozen=True)
class Certificate:
    """What the gateway shows to those who come by HTTPS."""

    expires: datetime | None
    """With a zone; None where it is not known."""
    expired: bool = False


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


def parse_time(stamp: str | None) -> datetime | None:
    """A time of the engine's, which has nanoseconds where Python has microseconds."""
    if stamp is None:
        return None
    head, _, rest = stamp.partition(".")
    digits = len(rest) - len(rest.lstrip("0123456789"))
    point = "." if digits else ""
    try:
        return datetime.fromisoformat(f"{head}{point}{rest[:digits][:6]}{rest[digits:]}")
    except ValueError:
        return None
