"""Who reaches a stack's databases: by the rule of least privilege, those that need them, and nobody
else."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import replace

from msctl.doctor import Finding
from msctl.fields.ports import parse_port
from msctl.model import GATEWAY, Service, Stack

_AREA = "databases"
_PROMETHEUS = "prometheus"


def databases(stack: Stack) -> dict[str, Service]:
    """Stateful services that speak neither HTTP nor gRPC, as far as the file tells: a Prometheus
    has to reach the gateway, and a database never has. What needs others while nobody needs it is
    an application that keeps files."""
    needed = {name for service in stack.services.values() for name in service.needs}
    return {
        name: service
        for name, service in stack.services.items()
        if service.stateful
        and not service.routes
        and not _speaks_http(service)
        and (name in needed or not service.needs)
    }


def of_databases(stack: Stack) -> Iterator[Finding]:
    """Networks that a database shares with who does not need it, and ports that lead to it."""
    found = databases(stack)
    for name in found:
        if strangers := _strangers(stack, name):
            yield _shared(stack, name, strangers)
        for port in _open_ports(found[name]):
            yield Finding(
                _AREA,
                "warn",
                f"{name} is open to whoever reaches this machine: port {port} is published",
                f"remove services.{name}.ports, or publish it on loopback: 127.0.0.1:{port}",
            )
    if found and not any(map(_open_ports, found.values())):
        apart = [name for name in found if not _strangers(stack, name)]
        if apart:
            message = f"reached only by services that need them: {', '.join(apart)}"
            yield Finding(_AREA, "ok", message)


def of_metrics(stack: Stack) -> Iterator[Finding]:
    """A Prometheus that does not reach the gateway, whose metrics it is there for."""
    service = stack.services.get(_PROMETHEUS)
    if service is None or not stack.routed:
        return
    own, reached = stack.networks_of(service), _of_gateway(stack)
    if reached.isdisjoint(own):
        networks = ", ".join([*own, min(reached)])
        yield Finding(
            "metrics",
            "warn",
            f"{_PROMETHEUS} does not reach the gateway: they share no network",
            f"services.{_PROMETHEUS}.networks: [{networks}]; then msctl up",
        )


def _of_gateway(stack: Stack) -> set[str]:
    """The networks by which the gateway reaches its services."""
    return {stack.networks_of(s)[0] for s in stack.services.values() if s.routes}


def _speaks_http(service: Service) -> bool:
    health = service.health
    return health is not None and (health.path is not None or health.grpc)


def _strangers(stack: Stack, database: str) -> list[str]:
    """Who shares a network with a database without needing it; the gateway first."""
    own = set(stack.networks_of(stack.services[database]))
    others = [
        name
        for name, service in stack.services.items()
        if name != database
        and database not in service.needs
        and own.intersection(stack.networks_of(service))
    ]
    return [GATEWAY] * bool(own & _of_gateway(stack)) + others


def _shared(stack: Stack, database: str, strangers: list[str]) -> Finding:
    """What to write stands there to the letter."""
    network = f"{database}_net"
    users = [name for name, service in stack.services.items() if database in service.needs]
    keys = [
        f"networks: [{', '.join(dict.fromkeys([*stack.networks, network]))}]",
        f"services.{database}.networks: [{network}]",
    ]
    for name in users:
        kept = stack.networks_of(stack.services[name])
        keys.append(f"services.{name}.networks: [{', '.join(dict.fromkeys([*kept, network]))}]")
    message = f"{database} can be reached by {_listed(strangers)}, which it does not serve"
    hint = f"give it a network of its own: {'; '.join(keys)}"
    if not users:
        hint += f"; and {network} to those that use it, with needs: [{database}]"
    return Finding(_AREA, "warn", message, hint)


def _listed(names: list[str]) -> str:
    shown = names if len(names) <= 4 else [*names[:3], f"{len(names) - 3} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _open_ports(service: Service) -> list[str]:
    """Published ports, without an address, that others than this machine reach."""
    ports = map(parse_port, service.ports)
    found = [port for port in ports if not _on_loopback(port.host_ip)]
    return [str(replace(port, host_ip=None)) for port in found]


def _on_loopback(host: str | None) -> bool:
    return host is not None and ipaddress.ip_address(host).is_loopback
