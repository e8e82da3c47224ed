"""How a stack is: what was observed, held against the stack file. Pure.

The records are those of `status --json`, field by field; what is not known is None. A stack is
healthy when no problem is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, field, replace
from datetime import datetime
from typing import Any, Literal

from msctl.frozen import dataclass
from msctl.model import GATEWAY, Gateway, Service, Stack
from msctl.monitoring.answers import percentile
from msctl.problem import Problem, worst_first
from msctl.problems import is_done, is_left_out, left_pins, problems_of
from msctl.render.pins import parse_gateway_name
from msctl.render.traefik import WEB, WEBSECURE
from msctl.state import Certificate, Replica, StackState, Traffic, Usage


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


def assess(
    stack: Stack,
    state: StackState,
    *,
    engine: str,
    hashes: Mapping[str, str] | None = None,
    folder: str | None = None,
    again: Callable[[str], str] = "msctl {}".format,
    holder: tuple[str, str] | None = None,
    readings: Readings | None = None,
) -> Status:
    """Hold what was observed against the stack file.

    `hashes` has the configuration hash by service that the file asks for; without it, nothing is
    called outdated for its configuration. `folder` is the stack file's. `again` makes a command
    to type of what follows `msctl`. `holder` is who works on the stack now, and since when.
    """
    readings = readings or Readings()
    look = _Look(stack, state, readings)
    services = tuple(look.service(name, service) for name, service in stack.services.items())
    pins = tuple(_pins(state, holder))
    found = problems_of(stack, state, services, hashes or {}, folder, again, readings)
    found = worst_first((*found, *left_pins(pins, again)))
    healthy = not any(problem.severity == "error" for problem in found)
    gateway = look.gateway() if stack.routed else None
    return Status(stack.name, engine, healthy, gateway, readings.prometheus, pins, found, services)


def has_pins(state: StackState) -> bool:
    """Whether somebody holds a service's traffic, or has left it held."""
    return next(_pins(state, None), None) is not None


def _pins(state: StackState, holder: tuple[str, str] | None) -> Iterator[PinStatus]:
    who, since = holder or (None, None)
    for name, servers in sorted((state.gateway.servers if state.gateway else {}).items()):
        if (pin := parse_gateway_name(name)) is not None:
            yield PinStatus(pin[0], tuple(sorted(servers)), since, who)


def published_url(gateway: Gateway) -> str | None:
    """Where requests go; None when the gateway publishes nothing."""
    if gateway.tls_on:
        return _url("https", gateway.https, 443)
    return _url("http", gateway.http, 80)


def entry_points(gateway: Gateway) -> tuple[EntryPoint, ...]:
    """Where the gateway is reached, by Traefik's names of its entry points."""
    https = _url("https", gateway.https, 443) if gateway.tls_on else None
    found = {WEB: _url("http", gateway.http, 80), WEBSECURE: https}
    return tuple(EntryPoint(name, url) for name, url in found.items() if url)


def _expiry(certificate: Certificate | None) -> str | None:
    if certificate is None or certificate.expires is None:
        return None
    return certificate.expires.isoformat()


def dashboard_url(gateway: Gateway) -> str | None:
    """The dashboard's page; None when it is off."""
    url = _url("http", gateway.dashboard, 80)
    return f"{url}/dashboard/" if url else None


def outer_dashboard_url(gateway: Gateway) -> str | None:
    """The dashboard's page for those outside, who have its password; None without a host."""
    if gateway.dashboard_host is None or gateway.https is None:
        return None
    port = gateway.https.rpartition(":")[2]
    return f"https://{gateway.dashboard_host}{'' if port == '443' else f':{port}'}/dashboard/"


def _url(scheme: str, publish: str | None, default: int) -> str | None:
    if publish is None:
        return None
    host, _, port = publish.rpartition(":")
    if host in ("", "0.0.0.0", "[::]"):
        host = "localhost"
    return f"{scheme}://{host}" + ("" if int(port) == default else f":{port}")


@dataclass(frozen=True)
class _Look:
    """A stack and its state, looked at together."""

    stack: Stack
    state: StackState
    readings: Readings

    def service(self, name: str, service: Service) -> ServiceStatus:
        found = self.state.of(name)
        replicas = tuple(self.replica(name, service, replica) for replica in found)
        routed = [replica.routed for replica in replicas]
        unknown = not service.routes or self._servers(name) is None
        traffic = self.readings.traffic.get(name, Traffic())
        return ServiceStatus(
            name=name,
            kind=service.kind,
            desired=0 if is_left_out(self.state, name, service) else self.desired(name, service),
            running=sum(replica.running for replica in found),
            healthy=sum(replica.healthy or is_done(service, replica) for replica in found),
            routed=None if unknown else sum(value is True for value in routed),
            image=service.image,
            rps=traffic.rps,
            p50_ms=traffic.p50_ms,
            p95_ms=traffic.p95_ms,
            error_rate=traffic.error_rate,
            replicas=replicas,
        )

    def desired(self, name: str, service: Service) -> int:
        """What somebody asked for, within the file's bounds; else the file's."""
        intent, bounds = self.state.intent(name), service.replicas
        if intent is None or service.stateful or service.job:
            return bounds.initial
        if not intent.bounded:
            return intent.replicas
        return min(max(intent.replicas, bounds.min), bounds.max)

    def replica(self, name: str, service: Service, found: Replica) -> ReplicaStatus:
        address, status = self._at_the_gateway(name, service, found)
        known = bool(service.routes) and self._servers(name) is not None
        detail = found.detail
        usage = self.readings.usage.get(found.id, Usage(None, None))
        return ReplicaStatus(
            name=found.name,
            id=found.id,
            number=found.number,
            image=found.image,
            state=found.state,
            health=found.health.value,
            last_check=detail.last_check if detail else None,
            routed=(status == "UP") if known else None,
            gateway_status=status,
            address=address,
            cpu_percent=self._cpu_percent(found, usage),
            memory_bytes=usage.memory,
            memory_limit_bytes=detail.memory_limit if detail else None,
            oom_kills=int(detail.oom_killed) if detail else None,
            restarts=detail.restarts if detail else None,
            started_at=detail.started_at if detail else None,
            p95_ms=percentile(self.readings.answers.get(address or "", ()), 0.95),
        )

    def _cpu_percent(self, found: Replica, usage: Usage) -> float | None:
        """Of its limit; without one, of all the processors that the engine has."""
        if usage.cpus is None or found.detail is None:
            return None
        return round(100 * usage.cpus / (found.detail.cpu_limit or self.state.engine.cpus), 1)

    def _servers(self, name: str) -> Mapping[str, str] | None:
        """UP or DOWN by server URL; None when the gateway could not be asked."""
        view = self.state.gateway
        return None if view is None or not view.answered else view.receiving(name)

    def _at_the_gateway(
        self, name: str, service: Service, found: Replica
    ) -> tuple[str | None, str | None]:
        """A replica's address, and the gateway's word on it: UP, DOWN or None.

        It may have been made with another port than the file's now, so its address decides.
        """
        network = self.stack.network_name(self.stack.networks_of(service)[0])
        known = [found.addresses.get(network), *found.addresses.values()]
        address = next((address for address in known if address), None)
        if address is None or not service.routes:
            return address, None
        servers = (self._servers(name) or {}).items()
        host = f"http://{address}:"
        return address, next((status for url, status in servers if url.startswith(host)), None)

    def gateway(self) -> GatewayStatus:
        wanted, found = self.stack.gateway, self.state.of(GATEWAY)
        view = self.state.gateway
        serves = any(replica.healthy for replica in found)
        given = self.state.published
        by_file = given is None
        return GatewayStatus(
            url=published_url(wanted) if given is None else next(iter(given), None),
            dashboard=dashboard_url(wanted) if by_file else None,
            healthy=serves and (view is None or view.answered),
            image=found[0].image if found else wanted.image,
            entry_points=entry_points(wanted) if by_file else (),
            certificate_expires=_expiry(self.readings.certificate),
        )
