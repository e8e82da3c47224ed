"""Traefik's routers of a whole Compose file, and what is left of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from msctl.config.problems import Path
from msctl.importing.gateway import Gateway
from msctl.importing.routes.labels import Labels, Part
from msctl.importing.routes.middlewares import Chain, chain_of, note_unused, redirects, shuts
from msctl.importing.routes.rules import Match, loosely, matches, negated
from msctl.importing.source import Source

_INTERNAL = "@internal"
_KNOWN_OPTIONS = {
    "rule", "entrypoints", "middlewares", "service", "priority", "rulesyntax", "tls",
    "tls.certresolver", "tls.options",
}  # fmt: skip
_NOT_PUBLIC = re.compile(
    r"(.*[-_.])?(intern(al)?|private|local|lan|vpn|admin|management|mgmt|metrics|ping|traefik"
    r"|dashboard)([-_.].*)?",
    re.IGNORECASE,
)
"""What an entry point is called that the public is not meant to come by."""


@dataclass(frozen=True)
class Shut:
    """Requests that a router took which is left out."""

    match: Match
    weight: int
    excepted: tuple[str, ...]
    """Paths that it did not take."""
    router: str
    place: Path


@dataclass
class Router:
    part: Part
    rule: str
    found: tuple[Match, ...]
    chain: Chain
    tls: bool


@dataclass
class Routers:
    """The routers of all services, those that only redirect left out."""

    source: Source
    labels: Labels
    gateway: Gateway
    by_owner: dict[str, list[Router]] = field(default_factory=dict)
    """Those that a Compose service's routes come of."""
    shut: list[Shut] = field(default_factory=list)
    """Requests that somebody was kept from, and no route is for."""
    closed: set[Match] = field(default_factory=set)
    """What routes shut, so that no other one takes it."""
    tls_on: bool = False
    """Whether some router has TLS, be it one that is left out."""

    @classmethod
    def read(cls, source: Source, labels: Labels, gateway: Gateway) -> Routers:
        found = cls(source, labels, gateway)
        for part in labels.routers.values():
            found._add(part)
        note_unused(source, labels, [name for names in gateway.guards.values() for name in names])
        found._drop_twins()
        found.tls_on = any(router.tls for router in found.all())
        found._shut()
        return found

    def all(self) -> list[Router]:
        return [router for routers in self.by_owner.values() for router in routers]

    def _add(self, part: Part) -> None:
        source = self.source
        if part.options.get("service", "").endswith(_INTERNAL) or part.owner == self.gateway.name:
            return
        if not self.labels.enabled.get(part.owner, self.gateway.exposes_all):
            source.not_carried(part.place, "without traefik.enable=true it leads nowhere")
            return
        owner = self._owner(part)
        points = self._points(part)
        if owner is None or points is None:
            return
        text = part.options.get("rule") or f"Host(`{part.owner.replace('_', '-')}`)"
        guards = self.gateway.guards
        before = [name for point in points or guards for name in guards.get(point, ())]
        chain = chain_of(source, self.labels, part, before)
        try:
            found = self._matches(text)
        except ValueError as error:
            place = part.places.get("rule", part.place)
            source.not_carried(place, str(error))
            if shuts(chain):
                self._keep_shut(part, text, loosely(source.resolved(text)), place)
            return
        options = part.options
        tls = source.resolved(options.get("tls", "")).lower() == "true" or any(
            key.startswith("tls.") for key in options
        )
        tls = tls or (bool(points) and all(point in self.gateway.secure for point in points))
        for option in [name for name in options if name not in _KNOWN_OPTIONS]:
            source.not_carried(part.places[option], f"{option} has no place in the stack file")
        once = {self.plain(match): match for match in reversed(found)}
        found = tuple(match for match in found if match in once.values())
        self.by_owner.setdefault(owner, []).append(Router(part, text, found, chain, tls))

    def plain(self, match: Match) -> Match:
        """A match as a route of the stack file takes it, its variables put in."""
        host = None if match.host is None else self.source.resolved(match.host).lower()
        return Match(host, self.source.resolved(match.path or "/"))

    def winner(self, match: Match) -> Router | None:
        """The router that has a match: of several the one that Traefik takes, and where that is
        open, one that keeps somebody out."""
        return max(
            (r for r in self.all() if any(self.plain(one) == match for one in r.found)),
            key=lambda r: (weight_of(self.source, r.part, r.rule), shuts(r.chain)),
            default=None,
        )

    def _matches(self, text: str) -> tuple[Match, ...]:
        try:
            return matches(text)
        except ValueError:
            return matches(self.source.resolved(text))

    def _owner(self, part: Part) -> str | None:
        """The Compose service that a router leads to: the one whose labels have what it names."""
        name, _, provider = self.source.resolved(part.options.get("service", "")).partition("@")
        if provider not in ("", "docker"):
            why = f"it leads to {name}@{provider}, which is not in this file"
            self.source.not_carried(part.places["service"], why)
            return None
        target = self.labels.services.get(name)
        if target is not None and target.owner == self.gateway.name:
            self.source.not_carried(part.places["service"], f"it leads to {name} of the gateway")
            return None
        return part.owner if target is None else target.owner

    def _points(self, part: Part) -> list[str] | None:
        """The entry points of a router; None where it is not for those that the gateway has: what
        a port of its own kept from the public is not opened to it."""
        points = [self.source.resolved(point) for point in part.listed("entrypoints")]
        known = {point: self.gateway.publishes(point) for point in points}
        place = part.places.get("entrypoints", part.place)
        for point, published in known.items():
            port = self.gateway.entry_points.get(point, "not told")
            if published is None and _NOT_PUBLIC.fullmatch(point):
                why = f"entry point {point} sounds like none for the public"
                self.source.not_carried(place, why)
                known[point] = False
            elif published is None:
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
            for router in routers:
                if not secure and not router.tls and redirects(router.chain.parts):
                    why = "left out: it only leads to HTTPS, where the service has no router"
                    self.source.not_carried(router.part.place, why)
            self.by_owner[owner] = [
                router
                for router in routers
                if router.tls
                or not (redirects(router.chain.parts) or secure.issuperset(router.found))
            ]

    def _shut(self) -> None:
        """Leave out the routers that somebody was kept from: none is opened to all."""
        for owner, routers in self.by_owner.items():
            for router in routers:
                if router.chain.lost:
                    told = ", ".join(router.chain.lost)
                    place = router.part.places.get("middlewares", router.part.place)
                    why = f"left out: {told} may keep somebody out, and cannot be carried"
                    self.source.not_carried(place, why)
                    self._keep_shut(router.part, router.rule, router.found, place)
            self.by_owner[owner] = [router for router in routers if not router.chain.lost]

    def _keep_shut(self, part: Part, rule: str, found: tuple[Match, ...], place: Path) -> None:
        weight = weight_of(self.source, part, rule)
        excepted = negated(rule)
        self.shut += [Shut(match, weight, excepted, part.name, place) for match in found]


def weight_of(source: Source, part: Part, rule: str) -> int:
    """By what Traefik chooses among routers: the priority, or else the rule's length."""
    said = source.resolved(part.options.get("priority", ""))
    return int(said) if said.isdecimal() and int(said) else len(source.resolved(rule))
