"""What concerns several records at once: routes of two services, `needs` in a circle, and so on.

Pure: each check yields the path and message of what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from msctl.config import autoscaling, gateway, hostports, passthrough
from msctl.config.problems import Path, show_path
from msctl.fields import shown
from msctl.fields.mounts import parse_mount
from msctl.model import OWN_SERVICES, Service, Stack
from msctl.render.canonical.shorthand import clean_path
from msctl.render.compose import ACME_VOLUME, GATEWAY_VOLUME, PROXY_NETWORKS
from msctl.render.traefik.routers import router_names
from msctl.spelling import did_you_mean

MOST_SERVICES = 1000
MOST_ENTRIES = 100
"""Services that one needs, and files of variables that it has."""
MOST_ROUTES = 100
MOST_COMPARED = 300
Found = Iterator[tuple[Path, str]]


@dataclass(frozen=True)
class View:
    """A stack of all that is sound in a file, and what the file holds besides."""

    stack: Stack
    named: frozenset[str]
    """All services of the file, also those of which nothing is sound."""
    partial: frozenset[str] = frozenset()
    """Services that lack unsound keys: what they do not have says nothing."""
    broken: frozenset[str] = frozenset()
    """Top-level keys that are unsound; the stack has defaults instead."""


def too_many(service: Service) -> Found:
    """Lists of a service that are too long to be worth a look at their entries."""
    for key in ("needs", "env_file"):
        count = len(getattr(service, key))
        if count > MOST_ENTRIES:
            yield (key,), f"{count} entries; a service has {MOST_ENTRIES} at the most"


def problems(view: View) -> Found:
    """Everything that is wrong between the records of a stack."""
    stack = view.stack
    yield from _names(view.named)
    yield from _needs(stack, view.named)
    yield from _same_routes(stack)
    yield from _same_routers(stack)
    for name, service in stack.services.items():
        for path, message in _of_service(view, service, name in view.partial):
            yield ("services", name, *path), message
    yield from _stack_networks(view)
    yield from passthrough.of_stack(stack)
    if "gateway" not in view.broken:
        yield from gateway.problems(stack)
    if stack.autoscaler.enabled and not any(s.autoscale for s in stack.services.values()):
        message = "no service has autoscale, so that there is nothing to go by"
        yield ("autoscaler", "enabled"), message
    yield from hostports.problems(stack, view.partial, "gateway" not in view.broken)


def _of_service(view: View, service: Service, partial: bool) -> Found:
    yield from chain(
        _mounts(service), _secrets(service), passthrough.of_service(view.stack, service)
    )
    if not partial:
        yield from chain(_routing(service), gateway.of_service(service), _running(service))
        yield from autoscaling.problems(service)
    if "networks" not in view.broken:
        yield from _networks(view.stack, service)
    for key in ("needs", "networks", "env_file"):
        yield from _twice((key,), getattr(service, key))


def _names(named: frozenset[str]) -> Found:
    seen: dict[str, str] = {}
    for name in sorted(named):
        if name in OWN_SERVICES:
            yield ("services", name), f"the name {name} is msctl's own; choose another"
        plain = name.replace("_", "-")
        if other := seen.get(plain):
            yield ("services", name), f"differs from service {other} only in - and _; rename one"
        seen.setdefault(plain, name)


def _needs(stack: Stack, named: frozenset[str]) -> Found:
    for name, service in stack.services.items():
        for index, needed in enumerate(service.needs):
            path = ("services", name, "needs", index)
            if needed == name:
                yield path, f"{name} cannot need itself"
            elif needed not in named:
                near = _near(needed, sorted(named - {name}))
                yield path, f"there is no service {needed}{near}"
    for cycle in _cycles(stack):
        index = stack.services[cycle[0]].needs.index(cycle[1])
        circle = " -> ".join(cycle)
        yield ("services", cycle[0], "needs", index), f"needs go in a circle: {circle}"


def _cycles(stack: Stack) -> Iterator[list[str]]:
    """The circles of needs, each with its first service at both ends."""
    done: set[str] = set()
    for start in stack.services:
        trail = {start: iter(_needed(stack, start))} if start not in done else {}
        while trail:
            last = next(reversed(trail))
            needed = next(trail[last], None)
            if needed is None:
                del trail[last]
                done.add(last)
            elif needed in trail:
                names = list(trail)
                yield [*names[names.index(needed) :], needed]
            elif needed not in done:
                trail[needed] = iter(_needed(stack, needed))


def _needed(stack: Stack, name: str) -> list[str]:
    needs = stack.services[name].needs
    return [needed for needed in needs if needed in stack.services and needed != name]


def _same_routes(stack: Stack) -> Found:
    seen: dict[tuple[str | None, str], Path] = {}
    for name, service in stack.services.items():
        for index, route in enumerate(service.routes):
            path: Path = ("services", name, "routes", index)
            first = seen.setdefault((route.host, route.path), path)
            if first != path:
                what = f"{route.host or ''}{route.path}"
                yield path, f"{what} is already routed by {show_path(first)}"


def _same_routers(stack: Stack) -> Found:
    seen: dict[str, Path] = {}
    for name, service in stack.services.items():
        if len(service.routes) > MOST_ROUTES:
            message = f"{len(service.routes)} routes; a service has {MOST_ROUTES} at the most"
            yield ("services", name, "routes"), message
            continue
        for index, router in enumerate(router_names(name, service)):
            path: Path = ("services", name, "routes", index)
            first = seen.setdefault(router, path)
            if first[:2] != path[:2]:
                yield (
                    path,
                    (
                        f"its router in Traefik would be {router}, as that of {show_path(first)}; "
                        "rename one of the services"
                    ),
                )


def _routing(service: Service) -> Found:
    if service.routes and service.port is None and not service.job:
        yield ("routes",), "routes need port, the container's port that they lead to"
    if service.sticky and not service.routes:
        yield ("sticky",), "sticky needs routes; only the gateway sets cookies"
    health = service.health
    if health and service.port is None and not (service.routes and not service.job):
        if health.path is not None:
            yield ("health", "path"), "health.path needs port, the container's port to ask"
        elif health.grpc:
            yield ("health", "grpc"), "health.grpc needs port, the container's port to ask"


def _running(service: Service) -> Found:
    if service.job and service.routes:
        yield ("routes",), "a job has no routes; it runs once and ends"
    if service.job and service.stateful:
        yield ("job",), "a service is a job or stateful, not both"
    if service.job and "restart" in service.given:
        policy = service.restart
        if policy in ("always", "unless-stopped"):
            yield ("restart",), f"a job runs once; {policy} would start it for ever"
    explicit = "order" in service.rollout.given
    if service.stateful and explicit and service.rollout.order == "start-first":
        yield ("rollout", "order"), "a stateful service is replaced stop-first"


def _mounts(service: Service) -> Found:
    targets: dict[str, int] = {}
    for index, volume in enumerate(service.volumes):
        mount = parse_mount(volume)
        first = targets.setdefault(clean_path(mount.target), index)
        if mount.kind == "volume" and _is_own_volume(mount.source or ""):
            message = f"volume {mount.source} is msctl's own; choose another name"
            yield ("volumes", index), message
        elif first != index:
            message = f"{shown(mount.target)} is already mounted by volumes[{first}]"
            yield ("volumes", index), message


def _is_own_volume(name: str) -> bool:
    """Whether msctl keeps the gateway's files or a scale in a volume of this name."""
    return name in (GATEWAY_VOLUME, ACME_VOLUME) or name.startswith("msctl-")


def _secrets(service: Service) -> Found:
    targets: dict[str, int] = {}
    for index, secret in enumerate(service.secrets):
        target = secret.target or f"/run/secrets/{secret.name}"
        first = targets.setdefault(clean_path(target), index)
        if first != index:
            yield ("secrets", index), f"{shown(target)} is already mounted by secrets[{first}]"


def _twice(path: Path, names: tuple[str, ...]) -> Found:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield (*path, index), f"{shown(name)} is given twice"
        seen.add(name)


def _near(word: str, known: Sequence[str]) -> str:
    """The nearest known name; nothing where comparing with all of them takes long."""
    return did_you_mean(word, known) if len(known) <= MOST_COMPARED else ""


def _networks(stack: Stack, service: Service) -> Found:
    known = frozenset(stack.networks)
    for index, network in enumerate(service.networks):
        if network not in known:
            near = _near(network, stack.networks)
            yield ("networks", index), f"network {network} is not among the stack's networks{near}"


def _stack_networks(view: View) -> Found:
    if "networks" in view.broken:
        return
    yield from _twice(("networks",), view.stack.networks)
    for index, network in enumerate(view.stack.networks):
        if network in PROXY_NETWORKS:
            yield ("networks", index), f"network {network} is msctl's own; choose another name"
    if not view.stack.networks:
        yield ("networks",), "a stack needs at least one network"
