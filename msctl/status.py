"""How a stack is: what was observed, held against the stack file. Pure.

The records are those of `status --json`, field by field; what is not known is None. A stack is
healthy when no problem is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from msctl.model import GATEWAY, Gateway, Service, Stack
from msctl.problems import Problem, is_done, is_left_out, left_pins, problems_of
from msctl.render.pins import parse_gateway_name
from msctl.state import Replica, StackState


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
    p95_ms: float | None
    error_rate: float | None
    replicas: tuple[ReplicaStatus, ...]


@dataclass(frozen=True)
class GatewayStatus:
    """The gateway, and where it is reached."""

    url: str | None
    dashboard: str | None
    healthy: bool
    image: str


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
) -> Status:
    """Hold what was observed against the stack file.

    `hashes` has the configuration hash by service that the file asks for; without it, nothing is
    called outdated for its configuration. `folder` is the stack file's. `again` makes a command
    to type of what follows `msctl`. `holder` is who works on the stack now, and since when.
    """
    look = _Look(stack, state)
    services = tuple(look.service(name, service) for name, service in stack.services.items())
    pins = tuple(_pins(state, holder))
    found = problems_of(stack, state, services, hashes or {}, folder, again)
    found = (*found, *left_pins(pins, again))
    healthy = not any(problem.severity == "error" for problem in found)
    gateway = look.gateway() if stack.routed else None
    return Status(stack.name, engine, healthy, gateway, pins, found, services)


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


def dashboard_url(gateway: Gateway) -> str | None:
    """The dashboard's page; None when it is off."""
    url = _url("http", gateway.dashboard, 80)
    return f"{url}/dashboard/" if url else None


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

    def service(self, name: str, service: Service) -> ServiceStatus:
        found = self.state.of(name)
        replicas = tuple(self.replica(name, service, replica) for replica in found)
        routed = [replica.routed for replica in replicas]
        unknown = not service.routes or self._servers(name) is None
        return ServiceStatus(
            name=name,
            kind=service.kind,
            desired=0 if is_left_out(self.state, name, service) else self.desired(name, service),
            running=sum(replica.running for replica in found),
            healthy=sum(replica.healthy or is_done(service, replica) for replica in found),
            routed=None if unknown else sum(value is True for value in routed),
            image=service.image,
            rps=None,
            p95_ms=None,
            error_rate=None,
            replicas=replicas,
        )

    def desired(self, name: str, service: Service) -> int:
        """What somebody asked for, within the file's bounds; else the file's."""
        intent, bounds = self.state.intent(name), service.replicas
        if intent is None or service.stateful or service.job:
            return bounds.initial
        return min(max(intent.replicas, bounds.min), bounds.max)

    def replica(self, name: str, service: Service, found: Replica) -> ReplicaStatus:
        address, status = self._at_the_gateway(name, service, found)
        known = bool(service.routes) and self._servers(name) is not None
        detail = found.detail
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
            cpu_percent=None,
            memory_bytes=None,
            memory_limit_bytes=detail.memory_limit if detail else None,
            oom_kills=int(detail.oom_killed) if detail else None,
            restarts=detail.restarts if detail else None,
            started_at=detail.started_at if detail else None,
        )

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
        network = f"{self.stack.name}_{self.stack.networks_of(service)[0]}"
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
        return GatewayStatus(
            url=published_url(wanted),
            dashboard=dashboard_url(wanted),
            healthy=serves and (view is None or view.answered),
            image=found[0].image if found else wanted.image,
        )
