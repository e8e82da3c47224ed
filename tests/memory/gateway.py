"""What the gateway's API says of a world: Traefik's providers, as msctl sees them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from memory.machine import Container
from memory.world import World
from msctl.model import GATEWAY, Stack
from msctl.state import GatewayView, Router

_SERVICES, _ROUTERS = "traefik.http.services.", "traefik.http.routers."


def view(world: World, stack: Stack) -> GatewayView | None:
    """None when the stack has no gateway, or its API has no address."""
    address = stack.gateway.api or stack.gateway.dashboard
    if not stack.routed or address is None:
        return None
    host, _, port = address.rpartition(":")
    url = stack.gateway.api or f"http://{host or '127.0.0.1'}:{port}"
    traefik = next(
        (c for c in _of(world, stack) if c.service == GATEWAY and c.running),
        None,
    )
    if traefik is None:
        return GatewayView(url, error="the gateway is not running", running=False)
    if not world.gateway_answers:
        return GatewayView(url, error="timed out")
    listed = [
        c
        for c in _of(world, stack)
        if c.labels.get("traefik.enable") == "true" and _noticed(world, traefik, c)
    ]
    routers = _defined(listed, _ROUTERS)
    servers = {
        f"{name}@docker": dict.fromkeys(
            (_url(c, name, labels) for c in listed if _prefixed(c, f"{_SERVICES}{name}.")), "UP"
        )
        for name, labels in _defined(listed, _SERVICES).items()
        # A service that no router leads to is not built, so that its servers have no status.
        if any(router[f"{_ROUTERS}{key}.service"] == name for key, router in routers.items())
    }
    for (project, service, slot), urls in world.pins.items():
        if project == stack.name:
            servers[f"{service}-{slot}@file"] = dict.fromkeys(urls, "UP")
    return GatewayView(
        url,
        version="3.7.0",
        servers=servers,
        routers=tuple(_router(name, labels) for name, labels in sorted(routers.items())),
    )


def _of(world: World, stack: Stack) -> list[Container]:
    return [c for c in world.containers.values() if c.project == stack.name]


def _noticed(world: World, traefik: Container, container: Container) -> bool:
    """A healthy replica is listed a while after both it and the gateway are there."""
    if not container.healthy or container.healthy_since is None or traefik.started is None:
        return False
    return world.now >= max(container.healthy_since, traefik.started) + world.gateway_lag


def _prefixed(container: Container, prefix: str) -> dict[str, str]:
    return {key: text for key, text in container.labels.items() if key.startswith(prefix)}


def _defined(containers: Iterable[Container], kind: str) -> dict[str, dict[str, str]]:
    """Each name's labels. Where containers disagree on a name, Traefik drops it for all."""
    found: dict[str, list[dict[str, str]]] = {}
    for container in containers:
        for name in {key.removeprefix(kind).split(".")[0] for key in _prefixed(container, kind)}:
            found.setdefault(name, []).append(_prefixed(container, f"{kind}{name}."))
    return {
        name: labels[0] for name, labels in found.items() if all(x == labels[0] for x in labels)
    }


def _url(container: Container, name: str, labels: Mapping[str, str]) -> str:
    address = container.networks.get(container.labels.get("traefik.docker.network", ""))
    return f"http://{address}:{labels[f'{_SERVICES}{name}.loadbalancer.server.port']}"


def _router(name: str, labels: Mapping[str, str]) -> Router:
    prefix = f"{_ROUTERS}{name}"
    return Router(
        name=f"{name}@docker",
        rule=labels[f"{prefix}.rule"],
        entry_points=tuple(labels[f"{prefix}.entrypoints"].split(",")),
        service=labels[f"{prefix}.service"],
        priority=int(labels[f"{prefix}.priority"]),
        tls=labels.get(f"{prefix}.tls") == "true",
        status="enabled",
        provider="docker",
    )
