"""Holds what was observed against the stack file. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from msctl.addresses import dashboard_url, entry_points, published_url
from msctl.assessment import (
    GatewayStatus,
    PinStatus,
    Readings,
    ReplicaStatus,
    ServiceStatus,
    Status,
)
from msctl.assessment.problem import worst_first
from msctl.assessment.problems import is_done, is_left_out, left_pins, problems_of
from msctl.frozen import dataclass
from msctl.model import GATEWAY, Service, Stack
from msctl.monitoring.latencies import percentile
from msctl.render.traefik.pins import parse_gateway_name
from msctl.state import Certificate, Replica, StackState, Traffic, Usage


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


def _expiry(certificate: Certificate | None) -> str | None:
    if certificate is None or certificate.expires is None:
        return None
    return certificate.expires.isoformat()


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
