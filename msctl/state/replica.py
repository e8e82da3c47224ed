"""One container, as it was observed."""

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


HostPort = tuple[str, int, str]
"""Address of the host (empty: all), port, protocol."""


def overlap(one: HostPort, other: HostPort) -> bool:
    """Whether two cannot be had at once."""
    same = one[1:] == other[1:]
    return same and (one[0] == other[0] or not one[0] or not other[0])


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
    previous: str | None = None
    """The revision before, with its image, as JSON; None when there was none."""
    ports: frozenset[HostPort] = frozenset()
    """Those of the host that it publishes; none while it is not running."""
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
