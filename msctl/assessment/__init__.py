"""How a stack is: what was observed, held against the stack file. Pure.

The records are here; `assess` makes them, and `problems` finds what is wrong.

They are those of `status --json`, field by field; what is not known is None. A stack is
healthy when no problem is an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, field, replace
from datetime import datetime
from typing import Any, Literal

from msctl.assessment.problem import Problem
from msctl.frozen import dataclass
from msctl.model import GATEWAY
from msctl.state import Certificate, Traffic, Usage


@dataclass(frozen=True)
class ReplicaStatus:
    """One container of a service."""

    name: str
    id: str
    number: int
    image: str
    state: str
    health: str
    last_check: str | None
    routed: bool | None
    gateway_status: str | None
    address: str | None
    cpu_percent: float | None
    memory_bytes: int | None
    memory_limit_bytes: int | None
    oom_kills: int | None
    restarts: int | None
    started_at: str | None
    p95_ms: float | None
    """Of the answers that the gateway has logged in the last minute."""


@dataclass(frozen=True)
class ServiceStatus:
    """One service; a job that is done counts as healthy, a left-out one is not desired."""

    name: str
    kind: Literal["routed", "internal", "stateful", "job"]
    desired: int
    running: int
    healthy: int
    routed: int | None
    image: str
    rps: float | None
    p50_ms: float | None
    p95_ms: float | None
    error_rate: float | None
    replicas: tuple[ReplicaStatus, ...]


@dataclass(frozen=True)
class EntryPoint:
    """A port of the gateway that is published."""

    name: str
    url: str


@dataclass(frozen=True)
class GatewayStatus:
    """The gateway, and where it is reached."""

    url: str | None
    dashboard: str | None
    healthy: bool
    image: str
    entry_points: tuple[EntryPoint, ...]
    certificate_expires: str | None
    """RFC 3339; None without TLS, and where no certificate was shown."""


@dataclass(frozen=True)
class PrometheusStatus:
    """Where the numbers of the requests come from."""

    url: str
    reachable: bool


@dataclass(frozen=True)
class Readings:
    """What was asked beside the engine's lists and the gateway's API."""

    usage: Mapping[str, Usage] = field(default_factory=dict)
    """By container id."""
    traffic: Mapping[str, Traffic] = field(default_factory=dict)
    """By service."""
    answers: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """Milliseconds of each answer, by the replica's IP address."""
    prometheus: PrometheusStatus | None = None
    certificate: Certificate | None = None
    at: datetime | None = None
    """When all this was; None where nobody wants to know how long ago something was."""


@dataclass(frozen=True)
class PinStatus:
    """A pin that holds a service's traffic on chosen replicas."""

    service: str
    servers: tuple[str, ...]
    """URLs."""
    since: str | None
    """When the msctl that holds it began, RFC 3339; None when none is at work."""
    held_by: str | None


@dataclass(frozen=True)
class Status:
    """A whole stack."""

    project: str
    engine: str
    healthy: bool
    gateway: GatewayStatus | None
    prometheus: PrometheusStatus | None
    pins: tuple[PinStatus, ...]
    problems: tuple[Problem, ...]
    services: tuple[ServiceStatus, ...]

    def record(self) -> dict[str, Any]:
        """What `--json` prints."""
        return asdict(self)

    def only(self, service: str) -> Status:
        """What concerns one service, and the gateway where it is routed."""
        kept = tuple(found for found in self.services if found.name == service)
        routed = any(found.kind == "routed" for found in kept)
        names = {service, GATEWAY} if routed else {service}
        problems = tuple(problem for problem in self.problems if problem.service in names)
        healthy = not any(problem.severity == "error" for problem in problems)
        return replace(self, healthy=healthy, problems=problems, services=kept)
