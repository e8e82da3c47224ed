"""The routers of a service's routes: names, rules and priorities."""

from __future__ import annotations

import re
from itertools import chain, count

from msctl.model import Route, Service


def router_names(service_name: str, service: Service) -> tuple[str, ...]:
    """The router of each route, in the file's order: SERVICE, then SERVICE-PATH for further ones.

    They are unique within the service.
    """
    names: list[str] = []
    for route in service.routes:
        words = re.findall(r"[a-z0-9]+", f"{route.host or ''} {route.path}".lower())
        wanted = "-".join([service_name, *words]) if names else service_name
        numbered = (f"{wanted}-{number}" for number in count(2))
        names.append(next(name for name in chain([wanted], numbered) if name not in names))
    return tuple(names)


def rule(route: Route) -> str:
    """The router's rule; without a host, a route is for all of them."""
    path = f"PathPrefix(`{route.path}`)"
    return f"Host(`{route.host}`) && {path}" if route.host else path


def priority(route: Route) -> int:
    """The route's own priority, else the rule's length, as Traefik has it."""
    return route.priority if route.priority is not None else len(rule(route))
