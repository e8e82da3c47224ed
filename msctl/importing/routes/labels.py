"""Traefik's labels of all services, as the gateway would read them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from msctl.config.problems import Path
from msctl.importing.source import Source, pairs

_LABEL = re.compile(r"traefik\.http\.(routers|services|middlewares)\.([^.]+)\.(.+)", re.IGNORECASE)
_OTHER = re.compile(r"traefik\.(tcp|udp)\.", re.IGNORECASE)
_SILENT = re.compile(
    r"traefik\.(enable|docker\.network|swarm\.network|constraint-label.*"
    r"|docker\.allownonrunning)",
    re.IGNORECASE,
)
"""Labels that msctl sets itself, or that change nothing."""


def listed(text: str) -> list[str]:
    """The items of a list as Traefik's labels and flags have them."""
    return [item.strip() for item in text.split(",") if item.strip()]


@dataclass
class Part:
    """A router, a service or a middleware of Traefik's."""

    name: str
    owner: str
    """The Compose service whose labels it was made of."""
    options: dict[str, str] = field(default_factory=dict)
    """By Traefik's names in lower case."""
    spelled: dict[str, str] = field(default_factory=dict)
    """The same names as they are written: those of headers matter."""
    places: dict[str, Path] = field(default_factory=dict)
    """Where each option is written."""

    @property
    def place(self) -> Path:
        return next(iter(self.places.values()))

    def listed(self, option: str) -> list[str]:
        return listed(self.options.get(option, ""))

    @property
    def kind(self) -> str:
        """Of a middleware: `stripprefix`."""
        return next(iter(self.options)).partition(".")[0]

    def setting(self, name: str) -> str | None:
        """An option of a middleware, such as `average`."""
        return self.options.get(f"{self.kind}.{name}")


@dataclass
class Labels:
    """All of it, by name; `network` is the one that each service is reached by."""

    routers: dict[str, Part] = field(default_factory=dict)
    services: dict[str, Part] = field(default_factory=dict)
    middlewares: dict[str, Part] = field(default_factory=dict)
    networks: dict[str, str] = field(default_factory=dict)
    enabled: dict[str, bool] = field(default_factory=dict)
    others: set[tuple[str, str]] = field(default_factory=set)
    """Compose services with routes by TCP or UDP, and which."""
    rest: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Labels that are not Traefik's, by Compose service."""


def read_labels(source: Source, services: Mapping[str, Any], network: str | None = None) -> Labels:
    """The labels of the Compose services; `network` is the one of those that name none."""
    found = Labels()
    if network:
        found.networks |= dict.fromkeys(services, source.resolved(network))
    for owner, service in services.items():
        for name, value, place in pairs(service.get("labels")):
            _read(source, found, owner, name, value, ("services", owner, "labels", place))
    return found


def _read(source: Source, found: Labels, owner: str, name: str, value: Any, at: Path) -> None:
    if not name.lower().startswith("traefik."):
        found.rest.setdefault(owner, {})[name] = "" if value is None else value
        return
    if isinstance(at[-1], int):
        name = source.resolved(name)
    text = str(value).lower() if isinstance(value, bool) else str(value or "")
    label = _LABEL.fullmatch(name)
    if name.lower() == "traefik.enable":
        found.enabled[owner] = source.resolved(text).lower() == "true"
    elif name.lower().endswith((".docker.network", "swarm.network")):
        found.networks[owner] = source.resolved(text)
    elif label is not None and not _SILENT.fullmatch(name):
        parts: dict[str, Part] = getattr(found, label[1].lower())
        part = parts.setdefault(label[2], Part(label[2], owner))
        if part.owner != owner and label[1].lower() == "services":
            source.not_carried(at, f"{label[2]} leads to {part.owner}, and no longer here as well")
            return
        option = label[3].lower()
        part.options[option], part.spelled[option], part.places[option] = text, label[3], at
    elif (other := _OTHER.match(name)) is not None:
        if (owner, other[1].lower()) not in found.others:
            found.others.add((owner, other[1].lower()))
            why = "the gateway leads HTTP only; `ports` publishes a port as it is"
            source.not_carried(at, f"{name}: {why}")
    elif not _SILENT.fullmatch(name):
        source.not_carried(at, f"{name} has no place in the stack file")
