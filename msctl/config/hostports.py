"""Host ports: who publishes which, and how many replicas can share them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from msctl.config.problems import Path, show_path
from msctl.fields.ports import PublishedPort, parse_port
from msctl.model import Service, Stack

MOST_PORTS = 20_000
Found = Iterator[tuple[Path, str]]


def problems(stack: Stack, partial: frozenset[str], with_gateway: bool) -> Found:
    """Ports published twice, and services with more replicas than they can have.

    Of `partial` services something is unsound, so that their replicas are not known.
    """
    yield from _published_twice(stack, with_gateway)
    for name, service in stack.services.items():
        if name in partial:
            continue
        for path, message in _too_many_replicas(service):
            yield ("services", name, *path), message


def published(service: Service) -> Iterator[tuple[int, PublishedPort]]:
    """The service's published ports, with their index."""
    for index, entry in enumerate(service.ports):
        yield index, parse_port(entry)


def _published_twice(stack: Stack, with_gateway: bool) -> Found:
    board = _Board()
    for path, port in (*(_of_gateway(stack) if with_gateway else ()), *_of_services(stack)):
        # Where the engine chooses from a range, it can still avoid the ports of others.
        if port.published is None or not port.fixed:
            continue
        if (taken := board.take(path, port)) is not None:
            yield path, f"host port {_host_side(port)} is already published by {show_path(taken)}"
        if len(board.takers) > MOST_PORTS:
            yield path, f"more than {MOST_PORTS} host ports; publish fewer"
            return


@dataclass
class _Board:
    """Who published a host port first: by address, and for each family of addresses."""

    takers: dict[tuple[str, int, str], Path] = field(default_factory=dict)

    def take(self, path: Path, port: PublishedPort) -> Path | None:
        """Put a port up; the path of another that is in its way already."""
        before: Path | None = None
        for number in port.published or ():
            for family in port.families:
                anyone, everyone = f"any{family}", f"every{family}"
                seen = (anyone,) if port.everywhere else (everyone, str(port.host_ip))
                for address in seen:
                    before = before or self.takers.get((port.protocol, number, address))
                taken = (anyone, everyone) if port.everywhere else (anyone, str(port.host_ip))
                for address in taken:
                    self.takers.setdefault((port.protocol, number, address), path)
        return before


def _of_gateway(stack: Stack) -> Iterator[tuple[Path, PublishedPort]]:
    if not stack.routed:
        return
    gateway = stack.gateway
    for key, value in (
        ("http", gateway.http),
        ("https", gateway.https if gateway.tls_on else None),
        ("dashboard", gateway.dashboard),
    ):
        if value is not None:
            yield ("gateway", key), parse_port(f"{value}:1")


def _of_services(stack: Stack) -> Iterator[tuple[Path, PublishedPort]]:
    for name, service in stack.services.items():
        for index, port in published(service):
            yield ("services", name, "ports", index), port


def _host_side(port: PublishedPort) -> str:
    text = str(port).removesuffix(f"/{port.protocol}").rpartition(":")[0]
    return text if port.protocol == "tcp" else f"{text}/{port.protocol}"


def _too_many_replicas(service: Service) -> Found:
    wanted, key = _most_replicas(service)
    if wanted == 1:
        return
    path = ("replicas", key)
    if service.stateful:
        yield path, f"a stateful service has one replica, not {wanted}"
    elif service.job:
        yield path, f"a job runs once, not as {wanted} replicas"
    else:
        yield from _too_few_ports(service, wanted, path)


def _most_replicas(service: Service) -> tuple[int, str]:
    """How many replicas the file asks for, and by which key; the default of max asks for none."""
    replicas = service.replicas
    for key in ("max", "min", "initial"):
        if key in replicas.given and getattr(replicas, key) > 1:
            return getattr(replicas, key), key
    return 1, "initial"


def _too_few_ports(service: Service, wanted: int, path: Path) -> Found:
    for index, port in published(service):
        if port.published is None:
            continue
        count = len(port.published)
        if port.fixed:
            message = (
                f"ports[{index}] publishes host port {_host_side(port)}, which one replica can "
                f"have, not {wanted}; write a range of host ports, or the container's port alone"
            )
        elif count < wanted:
            message = (
                f"ports[{index}] publishes {count} host ports for {wanted} replicas; "
                "write a longer range"
            )
        else:
            continue
        yield path, message
        return
