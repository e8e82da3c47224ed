"""Traefik's routers → the routes of a service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from msctl.importing.routes.labels import Part
from msctl.importing.routes.middlewares import keys_of, prefixes
from msctl.importing.routes.routers import Router, Routers
from msctl.importing.routes.rules import Match
from msctl.importing.routes.shutting import NOBODY, shut_off
from msctl.importing.source import Source, several

_ON_BY_DEFAULT = ("headers", "retry")
_COOKIE = "loadbalancer.sticky.cookie"
_CHECK = "loadbalancer.healthcheck"
_KNOWN_OPTIONS = {
    "loadbalancer.server.port", _COOKIE, f"{_CHECK}.path", f"{_CHECK}.interval",
    f"{_CHECK}.timeout", *(f"{_COOKIE}.{key}" for key in (
        "name", "secure", "httponly", "samesite", "maxage")),
}  # fmt: skip
_USUAL = {
    "loadbalancer.server.scheme": "http",
    f"{_CHECK}.scheme": "http",
    f"{_CHECK}.method": "GET",
    f"{_CHECK}.followredirects": "true",
    "loadbalancer.passhostheader": "true",
}
"""What says what holds anyway."""
_WHY = {
    "loadbalancer.server.scheme": "the gateway speaks plain HTTP/1.1 to it",
    "loadbalancer.passhostheader": "the gateway passes the request's own host on",
}
_HIGHEST = 1_000_000
"""A route's priority at the most."""
Row = tuple[dict[str, Any], dict[str, tuple[str, Any]]]
"""A route, and the middlewares that it has."""


@dataclass
class Routing:
    """What the gateway does for one service."""

    port: Any = None
    routes: list[dict[str, Any]] = field(default_factory=list)
    keys: dict[str, Any] = field(default_factory=dict)
    """Middlewares that all routes have."""
    sticky: Any = None
    check: dict[str, str] | None = None
    """The gateway's health check, by Traefik's names; None without routes."""


def routing_of(routers: Routers, name: str, service: Mapping[str, Any], sts: bool) -> Routing:
    """The routing of one Compose service."""
    source, found = routers.source, Routing()
    mine = routers.by_owner.get(name, [])
    balancers = {part.name: part for part in routers.labels.services.values() if part.owner == name}
    if not mine:
        found.port = next((_port_label(part) for part in balancers.values()), None)
        return found
    target = _target(source, mine, balancers)
    balancer = target or Part("", name)
    found.port = _port_label(balancer) or _only_port(source, service)
    if found.port is None:
        found.port = 80
        source.note(mine[0].part.place, "no port is told; it is 80 now")
    rows: list[Row] = []
    used = {balancer.name: balancer}
    for router in mine:
        wanted = _named(source, router)
        if wanted and balancers and target and wanted != target.name:
            other = balancers.get(wanted)
            if other is None or _port_label(other) != found.port:
                source.not_carried(router.part.place, f"it leads to {wanted}, another port")
                continue
            used[wanted] = other
        keys = keys_of(source, router.chain.parts, sts)
        for match in router.found:
            rows += _rows(routers, router, match, keys)
        if routers.tls_on and not router.tls:
            source.note(router.part.place, "by HTTPS from now on, as the other routes")
    if rows:
        found.routes, found.keys = _placed(source, rows)
        found.sticky, found.check = _sticky(name, balancer), _check(balancer)
    for part in used.values():
        _note_options(source, part, found.port)
    return found


def _named(source: Source, router: Router) -> str:
    return source.resolved(router.part.options.get("service", "")).partition("@")[0]


def _note_options(source: Source, part: Part, port: Any) -> None:
    """Name what is said of a service of Traefik's beyond what the stack file has."""
    for option, place in part.places.items():
        value = part.options[option]
        usual = value.lower() == _USUAL.get(option, "").lower() or option in _KNOWN_OPTIONS
        if option == f"{_CHECK}.port":
            usual = value == str(port)
        if not usual:
            why = _WHY.get(option, f"{option} has no place in the stack file")
            source.not_carried(place, why)


def _rows(
    routers: Routers, router: Router, match: Match, keys: dict[str, tuple[str, Any]]
) -> list[Row]:
    """A route, and those that keep shut below it what was shut before."""
    own = routers.source.own  # which msctl has checked
    winner = router if own else routers.winner(routers.plain(match))
    if winner is not None and winner is not router:
        why = f"left out: {winner.part.name} has its requests"
        routers.source.not_carried(router.part.places.get("rule", router.part.place), why)
        return []
    shut = shut_off(routers, router, match)
    if shut is None:
        return []
    route = _route(routers.source, router, match)
    rows: list[Row] = [(route, keys)]
    for closed, weight in shut.items():
        below: dict[str, Any] = {
            "path": closed.path,
            **({"host": closed.host} if closed.host else {}),
        }
        if "priority" in route:
            below["priority"] = min(max(weight, int(route["priority"]) + 1), _HIGHEST)
        rows.append((below, {**keys, "ip_allow": ("", NOBODY)}))
    return rows


def _target(source: Source, mine: list[Router], balancers: Mapping[str, Part]) -> Part | None:
    wanted = [_named(source, router) for router in mine]
    named = next((balancers[name] for name in wanted if name in balancers), None)
    return named or next(iter(balancers.values()), None)


def _port_label(part: Part) -> Any:
    text = part.options.get("loadbalancer.server.port")
    return int(text) if text and text.isdecimal() else text


def _only_port(source: Source, service: Mapping[str, Any]) -> int | None:
    """The port that Traefik would take: the lowest one that the file tells."""
    told = [str(port) for port in several(service.get("expose"))]
    for entry in several(service.get("ports")):
        target = entry.get("target") if isinstance(entry, dict) else source.resolved(entry)
        told.append(str(target).rpartition(":")[2].partition("/")[0])
    ports = sorted(int(port) for port in told if port.isdecimal())
    return ports[0] if ports else None


def _route(source: Source, router: Router, match: Match) -> dict[str, Any]:
    path = match.path or "/"
    route: dict[str, Any] = {"path": path}
    if match.exact:
        source.note(router.part.place, f"Path(`{path}`) takes what lies below it, too, now")
    if match.host:
        route["host"] = match.host
    if stripped := prefixes(router.chain.parts):
        if path in stripped:
            route["strip"] = True
        elif not match.exact or any(path.startswith(prefix) for prefix in stripped):
            source.not_carried(router.part.place, f"strips {', '.join(stripped)} off {path}")
    if text := router.part.options.get("priority"):
        rule = f"Host(`{match.host}`) && " if match.host else ""
        usual = ("0", str(len(f"{rule}PathPrefix(`{path}`)")))
        said = source.resolved(text)
        if said.isdecimal() and int(said) <= _HIGHEST:
            route |= {} if said in usual else {"priority": int(said)}
        else:
            place = router.part.places["priority"]
            source.not_carried(place, f"priority {said}: one is at most {_HIGHEST}")
    return route


def _placed(source: Source, rows: list[Row]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Each middleware where it belongs: with the service, or with those routes that have it."""
    shared: dict[str, Any] = {}
    names = dict.fromkeys([*_ON_BY_DEFAULT, *(key for _, keys in rows for key in keys)])
    for key in names:
        said = [keys.get(key) for _, keys in rows]
        if all(one == said[0] for one in said):
            if said[0] is not None:
                if said[0][1] is not True:
                    shared[key] = said[0][1]
            elif key == "headers" or (key == "retry" and source.own):
                shared[key] = False
            continue
        for (route, _), one in zip(rows, said, strict=True):
            if one is not None:
                route[key] = _explicit(key, one[1])
            elif key in _ON_BY_DEFAULT:
                route[key] = False
    return [route for route, _ in rows], {key: _shown(value) for key, value in shared.items()}


def _explicit(key: str, value: Any) -> Any:
    """What is as msctl has it anyway, said for one route."""
    return 3 if key == "retry" and value is True else value


def _shown(value: Any) -> Any:
    return "off" if value is False else value


def _sticky(name: str, part: Part) -> Any:
    options = part.options
    if not any(key == _COOKIE or key.startswith(f"{_COOKIE}.") for key in options):
        return None
    found: dict[str, Any] = {"name": options.get(f"{_COOKIE}.name") or f"{name}_session"}
    for option, key in (("secure", "secure"), ("httponly", "http_only")):
        if options.get(f"{_COOKIE}.{option}", "").lower() == "true":
            found[key] = True
    if same_site := options.get(f"{_COOKIE}.samesite"):
        found["same_site"] = same_site.lower()
    if age := options.get(f"{_COOKIE}.maxage"):
        found["max_age"] = int(age) if age.isdecimal() else age
    return found["name"] if len(found) == 1 else found


def _check(part: Part) -> dict[str, str]:
    prefix = f"{_CHECK}."
    return {k.removeprefix(prefix): v for k, v in part.options.items() if k.startswith(prefix)}
