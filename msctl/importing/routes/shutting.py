"""What a router that is left out leaves to the others: it stays shut.

Traefik gives a request to the router of the highest priority. Where one that kept somebody out is
gone, the next one would take its requests, and open to all what was not.
"""

from __future__ import annotations

from msctl.importing.routes.routers import Router, Routers, Shut, weight_of
from msctl.importing.routes.rules import Match, met

NOBODY = ["127.0.0.1/32"]
"""Addresses that no request comes from: those of the gateway's own container."""


def shut_off(routers: Routers, router: Router, match: Match) -> dict[Match, int] | None:
    """What is to be shut below a route, each with the weight of what shut it before; None: all of
    the route, which is told."""
    found: dict[Match, int] = {}
    weight = weight_of(routers.source, router.part, router.rule)
    mine = routers.plain(match)
    for shut in routers.shut:
        common = met(mine, routers.plain(shut.match))
        if common is None or weight > shut.weight or _excepted(shut, common):
            continue
        common = routers.plain(common)
        if common == mine:
            why = f"left out: its requests were {shut.router}'s, which keeps somebody out"
            routers.source.not_carried(router.part.places.get("rule", router.part.place), why)
            return None
        if not _has_its_own(routers, shut, common) and common not in routers.closed:
            routers.closed.add(common)
            found[common] = shut.weight
            where = f"{common.host or ''}{common.path}"
            routers.source.note(shut.place, f"{where} is shut, which another route would open")
    return found


def _excepted(shut: Shut, common: Match) -> bool:
    return any((common.path or "/").startswith(path) for path in shut.excepted)


def _has_its_own(routers: Routers, shut: Shut, common: Match) -> bool:
    """Whether a router of more weight takes exactly these requests."""
    return any(
        routers.plain(match) == common
        and weight_of(routers.source, router.part, router.rule) > shut.weight
        for router in routers.all()
        for match in router.found
    )
