"""`msctl routes`: which path leads to which service."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from msctl.cli.group import command as command_named
from msctl.cli.session import Session, in_session

if TYPE_CHECKING:
    from msctl.model import Stack
    from msctl.state import GatewayView
    from msctl.views import Block


@dataclass(frozen=True)
class RouteStatus:
    """A route of the file, or a router that only the gateway knows; None: not known."""

    rule: str
    service: str
    port: int | None
    strip: bool | None
    priority: int
    url: str | None
    router: str
    in_file: bool
    status: str | None
    """The gateway's word: enabled, warning or disabled; `absent` when it lacks the router."""
    servers: int | None
    servers_up: int | None


@command_named("routes")
@in_session
def command(session: Session) -> None:
    """Show which path leads to which service, those first that win over others."""
    loaded = session.load()
    state = session.connect(loaded).observe()
    routes = list(routes_of(loaded.stack, state.gateway))
    if session.options.json:
        record = {"project": loaded.stack.name, "routes": [asdict(route) for route in routes]}
        session.ui.json(record)
        return
    view = state.gateway
    if not loaded.stack.routed:
        session.ui.note(f"no service of {loaded.stack.name} has routes")
        return
    if view is None:
        session.ui.note("the gateway's API is off (gateway.dashboard), so it cannot be asked")
    elif not view.answered:
        session.ui.note(f"the gateway's API at {view.url} does not answer: {view.error}")
    session.ui.show(_table(routes))


def routes_of(stack: Stack, view: GatewayView | None) -> Iterator[RouteStatus]:
    """Every route, the one with the highest priority first."""
    known = {} if view is None or not view.answered else {r.name: r for r in view.routers}
    answered = view is not None and view.answered
    servers: Mapping[str, Mapping[str, str]] = view.servers if view is not None else {}
    found = list(_of_the_file(stack))
    for route in sorted(found, key=lambda route: (-route.priority, route.rule)):
        name = f"{route.router}@docker"
        router, own = known.pop(name, None), servers.get(f"{route.service}@docker", {})
        yield RouteStatus(
            **{
                **asdict(route),
                "status": (router.status if router else "absent") if answered else None,
                "servers": len(own) if answered else None,
                "servers_up": list(own.values()).count("UP") if answered else None,
            }
        )
    for router in sorted(known.values(), key=lambda r: (-r.priority, r.name)):
        if router.provider == "docker":
            name = router.service.removesuffix("@docker")
            own = servers.get(f"{name}@docker", {})
            yield RouteStatus(
                rule=router.rule,
                service=name,
                port=None,
                strip=None,
                priority=router.priority,
                url=None,
                router=router.name.removesuffix("@docker"),
                in_file=False,
                status=router.status,
                servers=len(own),
                servers_up=list(own.values()).count("UP"),
            )


def _of_the_file(stack: Stack) -> Iterator[RouteStatus]:
    from msctl.addresses import published_url
    from msctl.render.traefik.routers import priority, router_names, rule

    base = published_url(stack.gateway)
    for name, service in stack.services.items():
        for router, route in zip(router_names(name, service), service.routes, strict=True):
            url = base
            if url and route.host:
                scheme, _, address = url.partition("://")
                _, colon, port = address.rpartition(":")
                url = f"{scheme}://{route.host}{colon}{port if colon else ''}"
            yield RouteStatus(
                rule=rule(route),
                service=name,
                port=service.port,
                strip=route.strip,
                priority=priority(route),
                url=f"{url}{route.path}" if url else None,
                router=router,
                in_file=True,
                status=None,
                servers=None,
                servers_up=None,
            )


def _shown(rule: str) -> str:
    """As one types it into a browser, where the rule is a host, a path or both."""
    found = re.fullmatch(r"(?:Host\(`([^`]+)`\))?(?: && )?(?:PathPrefix\(`([^`]+)`\))?", rule)
    return "".join(filter(None, found.groups())) or "-" if found else rule


def _table(routes: list[RouteStatus]) -> list[Block]:
    from msctl.views import Cell, Table

    def servers(route: RouteStatus) -> Cell:
        if route.servers is None:
            return Cell("unknown", "yellow")
        well = route.servers_up == route.servers and route.servers
        return Cell(f"{route.servers_up}/{route.servers} UP", "green" if well else "bold red")

    def status(route: RouteStatus) -> Cell:
        word = route.status or "unknown"
        style = {"enabled": "green", "unknown": "yellow", "warning": "yellow"}
        return Cell(word if route.in_file else f"{word}, not in file", style.get(word, "bold red"))

    rows = [
        [
            Cell(_shown(route.rule), "bold"),
            Cell(route.service + (f":{route.port}" if route.port else ""), "cyan"),
            Cell({True: "stripped", False: "", None: "-"}[route.strip], "dim"),
            Cell(str(route.priority), "dim"),
            status(route),
            servers(route),
        ]
        for route in routes
    ]
    headings = ("ROUTE", "SERVICE", "PREFIX", "PRIO", "GATEWAY", "SERVERS")
    return [Table(headings, rows, shrink=(0, 1), drop=("PRIO", "PREFIX", "GATEWAY"))]
