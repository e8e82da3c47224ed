"""Traefik's routers → the routes of a service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from msctl.importing.gateway import Gateway
from msctl.importing.labels import Labels, Part
from msctl.importing.middlewares import Chain, chain_of, keys_of, note_unused, prefixes, redirects
from msctl.importing.rules import Match, matches
from msctl.importing.source import Source, several

_INTERNAL = "@internal"
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
}
"""What says what holds anyway."""
_KNOWN_OF_ROUTERS = {
    "rule", "entrypoints", "middlewares", "service", "priority", "rulesyntax", "tls",
    "tls.certresolver", "tls.options",
}  # fmt: skip


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


@dataclass
class _Router:
    part: Part
    found: tuple[Match, ...]
    chain: Chain
    tls: bool


@dataclass
class Routers:
    """The routers of all services, those that only redirect left out."""

    source: Source
    labels: Labels
    gateway: Gateway
    by_owner: dict[str, list[_Router]] = field(default_factory=dict)

    @classmethod
    def read(cls, source: Source, labels: Labels, gateway: Gateway) -> Routers:
        found = cls(source, labels, gateway)
        for part in labels.routers.values():
            found._add(part)
        note_unused(source, labels, [name for names in gateway.guards.values() for name in names])
        found._drop_twins()
        return found

    @property
    def tls_on(self) -> bool:
        return any(router.tls for routers in self.by_owner.values() for router in routers)

    def _add(self, part: Part) -> None:
        source = self.source
        if part.options.get("service", "").endswith(_INTERNAL) or part.owner == self.gateway.name:
            return
        if not self.labels.enabled.get(part.owner, self.gateway.exposes_all):
            source.not_carried(part.place, "without traefik.enable=true it leads nowhere")
            return
        text = part.options.get("rule") or f"Host(`{part.owner.replace('_', '-')}`)"
        try:
            try:
                found = matches(text)
            except ValueError:
                found = matches(source.resolved(text))
        except ValueError as error:
            source.not_carried(part.places.get("rule", part.place), str(error))
            return
        points = self._points(part)
        if points is None:
            return
        options = part.options
        tls = source.resolved(options.get("tls", "")).lower() == "true" or any(
            key.startswith("tls.") for key in options
        )
        tls = tls or (bool(points) and all(point in self.gateway.secure for point in points))
        guards = self.gateway.guards
        before = [name for point in points or guards for name in guards.get(point, ())]
        chain = chain_of(source, self.labels, part, before)
        for option in [name for name in options if name not in _KNOWN_OF_ROUTERS]:
            source.not_carried(part.places[option], f"{option} has no place in the stack file")
        self.by_owner.setdefault(part.owner, []).append(_Router(part, found, chain, tls))

    def _points(self, part: Part) -> list[str] | None:
        """The entry points of a router; None where it is not for those that the gateway has: what
        a port of its own kept from the public is not opened to it."""
        points = [self.source.resolved(point) for point in part.listed("entrypoints")]
        known = {point: self.gateway.publishes(point) for point in points}
        place = part.places.get("entrypoints", part.place)
        for point, published in known.items():
            port = self.gateway.entry_points.get(point, "not told")
            if published is None:
                self.source.note(place, f"entry point {point} is the gateway's usual one now")
            elif not published:
                why = f"entry point {point} (port {port}) is none of the stack's gateway"
                self.source.not_carried(place, why)
        kept = [point for point in points if known[point] is not False]
        return kept if kept or not points else None

    def _drop_twins(self) -> None:
        """Routers that only lead to HTTPS, or do by HTTP what another does by HTTPS."""
        for owner, routers in self.by_owner.items():
            secure = {match for router in routers if router.tls for match in router.found}
            self.by_owner[owner] = [
                router
                for router in routers
                if router.tls
                or not (redirects(router.chain.parts) or secure.issuperset(router.found))
            ]


def routing_of(routers: Routers, name: str, service: Mapping[str, Any], sts: bool) -> Routing:
    """The routing of one Compose service."""
    source, found = routers.source, Routing()
    mine = [router for router in routers.by_owner.get(name, []) if _is_open(source, router)]
    balancers = {part.name: part for part in routers.labels.services.values() if part.owner == name}
    if not mine:
        found.port = next((_port_label(part) for part in balancers.values()), None)
        return found
    target = _target(mine, balancers)
    balancer = target or Part("", name)
    found.port = _port_label(balancer) or _only_port(source, service)
    if found.port is None:
        found.port = 80
        source.note(mine[0].part.place, "no port is told; it is 80 now")
    rows: list[tuple[dict[str, Any], dict[str, tuple[str, Any]]]] = []
    for router in mine:
        wanted = router.part.options.get("service")
        if wanted and balancers and target and source.resolved(wanted) != target.name:
            other = balancers.get(source.resolved(wanted))
            if other is None or _port_label(other) != found.port:
                source.not_carried(router.part.place, f"it leads to {wanted}, another port")
                continue
        keys = keys_of(source, router.chain.parts, sts)
        rows += [(_route(source, router, match), keys) for match in router.found]
        if routers.tls_on and not router.tls:
            source.note(router.part.place, "by HTTPS from now on, as the other routes")
    found.routes, found.keys = _placed(source, rows)
    found.sticky, found.check = _sticky(name, balancer), _check(balancer)
    for option, place in balancer.places.items():
        usual = balancer.options[option] == _USUAL.get(option)
        if option == f"{_CHECK}.port":
            usual = balancer.options[option] == str(found.port)
        if option not in _KNOWN_OPTIONS and not usual:
            source.not_carried(place, f"{option} has no place in the stack file")
    return found


def _is_open(source: Source, router: _Router) -> bool:
    """Whether the route can be had: one that somebody was kept from is never opened to all."""
    if router.chain.lost:
        told = ", ".join(router.chain.lost)
        why = f"left out: {told} may keep somebody out, and cannot be carried"
        source.not_carried(router.part.places.get("middlewares", router.part.place), why)
    return not router.chain.lost


def _target(mine: list[_Router], balancers: Mapping[str, Part]) -> Part | None:
    wanted = [router.part.options.get("service", "") for router in mine]
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


def _route(source: Source, router: _Router, match: Match) -> dict[str, Any]:
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
        usual = len(f"{rule}PathPrefix(`{path}`)")
        if text != str(usual):
            route["priority"] = int(text) if text.isdecimal() else text
    return route


def _placed(
    source: Source, rows: list[tuple[dict[str, Any], dict[str, tuple[str, Any]]]]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
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
