"""A service of a Compose file on its way into the stack file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from msctl.config.problems import Path
from msctl.importing.source import Source


@dataclass
class Draft:
    """One service on its way."""

    source: Source
    name: str
    raw: Mapping[str, Any]
    project: str
    names: Mapping[str, str]
    """The stack file's name of each service that is carried, by Compose's."""
    networks: Mapping[str, str]
    """The same for networks."""
    first: str
    """The network of services that name none."""
    top: Mapping[str, Any]
    """The whole Compose file."""
    gateway: str | None = None
    """What the file's Traefik is called."""
    aliases: tuple[str, ...] = ()
    """Names by which others reach it."""
    entry: dict[str, Any] = field(default_factory=dict)
    passed: dict[str, Any] = field(default_factory=dict)

    @property
    def joined_by_gateway(self) -> set[str]:
        """The networks of the file's Traefik."""
        gateway = self.top["services"].get(self.gateway) or {}
        return set(map(str, gateway.get("networks") or ()))

    def called(self, network: str) -> set[str]:
        """What labels may call a network."""
        options = (self.top.get("networks") or {}).get(network) or {}
        external = options.get("external")
        named = [options, external] if isinstance(external, dict) else [options]
        names = {self.source.resolved(one["name"]) for one in named if one.get("name")}
        return {network, f"{self.project}_{network}", *names}

    @property
    def at(self) -> Path:
        return ("services", self.name)
