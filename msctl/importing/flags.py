"""The flags of somebody else's Traefik: those that the gateway takes over, and those lost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msctl.importing.gateway import HTTP_POINTS, HTTPS_POINTS, Gateway
from msctl.importing.source import Source

_MEANT = re.compile(
    r"entrypoints\.[^.]+(\.address|\.asdefault|\.http(\.tls(\.certresolver)?|\.redirections\..*"
    r"|\.middlewares(\[\d+\])?)?)?"
    r"|api(\.insecure|\.dashboard|\.debug)?"
    r"|providers\.docker(\.exposedbydefault|\.endpoint|\.network|\.watch)?"
    r"|providers\.providersthrottleduration"
    r"|ping(\..*)?|global\..*|metrics(\.prometheus(\..*)?)?"
    r"|log(\.level|\.format)?|accesslog(\.format|\.fields\..*)?"
    r"|certificatesresolvers\.[^.]+\.acme(\.email|\.storage|\.caserver"
    r"|\.(tls|http|dns)challenge(\..*)?)?"
)
"""Flags that are read, or that say what msctl's gateway does anyway."""
_OF_A_POINT = re.compile(r"entrypoints\.([^.]+)\.((?:forwardedheaders|proxyprotocol)\..+)")
"""What is said of an entry point, and means the same for the stack's."""
_OURS = re.compile(
    r"(entrypoints|api|providers|ping|accesslog|metrics|global|certificatesresolvers|log)\b.*"
)
"""Flags that msctl gives itself: two of a kind would be at odds."""
_WHY = {
    "providers.file": "routes and middlewares of files have no place in the stack file",
    "providers.docker.defaultrule": "a route says its own host",
    "providers.docker.constraints": "the gateway takes the services of its own stack",
}


def other_args(source: Source, gateway: Gateway, service: Mapping[str, Any]) -> list[str]:
    """The flags for `gateway.args`: those of Traefik's own that msctl has no key for."""
    kept = []
    for index, flag in enumerate(gateway.flags):
        name, equals, value = flag.lstrip("-").partition("=")
        if _MEANT.fullmatch(name.lower()):
            continue
        said = _OF_A_POINT.fullmatch(name.lower())
        point = None if said is None else _point(gateway, said[1])
        if said is not None and point is not None:
            kept.append(f"--entrypoints.{point}.{said[2]}{equals}{value}")
        elif _OURS.fullmatch(name.lower()):
            listed = isinstance(service.get("command"), list)
            place = ("services", gateway.name or "", "command", *((index,) if listed else ()))
            why = next((why for key, why in _WHY.items() if name.lower().startswith(key)), None)
            source.not_carried(place, f"{flag}: {why}" if why else flag)
        else:
            kept.append(flag)
    return kept


def _point(gateway: Gateway, name: str) -> str | None:
    """The stack's entry point that one of the file's comes to; None: none does."""
    port = gateway.entry_points.get(name)
    if name in HTTPS_POINTS or port == "443":
        return "websecure"
    return "web" if name in HTTP_POINTS or port == "80" else None
