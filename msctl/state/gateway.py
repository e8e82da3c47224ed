"""The gateway and its traffic, as they were observed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from msctl.frozen import dataclass


@dataclass(frozen=True)
class Router:
    """A router of the gateway, as its API lists it."""

    name: str
    rule: str
    entry_points: tuple[str, ...]
    service: str
    priority: int
    tls: bool
    status: str
    provider: str


@dataclass(frozen=True)
class GatewayView:
    """What the gateway's API says; `error` when it did not answer."""

    url: str
    error: str | None = None
    running: bool = True
    """Whether its container runs."""
    version: str | None = None
    servers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """UP or DOWN by server URL, by the gateway's name of the service (`web@docker`)."""
    routers: tuple[Router, ...] = ()

    @property
    def answered(self) -> bool:
        return self.error is None

    def receiving(self, service: str) -> Mapping[str, str]:
        """UP or DOWN of the servers that get a service's requests, by URL: those of the pin in
        force, else those that the gateway found by the labels."""
        pinned = self.pinned(service)
        return self.servers.get(f"{service}@docker", {}) if pinned is None else pinned

    def pinned(self, service: str) -> Mapping[str, str] | None:
        """UP or DOWN by URL of the servers that the pins in force lead to; None without a pin."""
        names = (f"{service}-a@file", f"{service}-b@file")
        pins = [self.servers[name] for name in names if name in self.servers]
        if not pins:
            return None
        return {url: status for servers in pins for url, status in servers.items()}


NO_PASSWORD = "there is none"
"""Why a user's password is to be made."""
NO_AUTHORITY = "there is no authority"
"""Why a certificate is to be made, and who signs it."""


@dataclass(frozen=True)
class GatewaySettings:
    """The gateway's own settings (`msctl.render.traefik.settings`): how they shall be, and are."""

    wanted: str
    """Digest of what shall be in force; empty where nothing shall be, or it is not known yet."""
    present: frozenset[str] = frozenset()
    """Digests of the files that the gateway has."""
    certificate_due: str | None = None
    """Why a certificate has to be made first."""
    passwords_due: Mapping[str, str] = field(default_factory=dict)
    """Whose password has to be made first, and why."""

    @property
    def new(self) -> tuple[str, ...]:
        """What has never been made here, in words."""
        made = [
            f"password of {user}" for user, why in self.passwords_due.items() if why == NO_PASSWORD
        ]
        authority = ["authority"] if self.certificate_due == NO_AUTHORITY else []
        return (*authority, *made)

    @property
    def unmade(self) -> bool:
        """Whether what is wanted is not known yet."""
        return bool(self.certificate_due or self.passwords_due)


@dataclass(frozen=True)
class Traffic:
    """What Prometheus knows of a service's requests in the last minute; None is unknown.

    A service that nothing was asked of has a rate of 0 and no latencies.
    """

    rps: float | None = None
    """Requests a second."""
    p50_ms: float | None = None
    p95_ms: float | None = None
    """Milliseconds within which 95 of 100 requests were answered."""
    p99_ms: float | None = None
    error_rate: float | None = None
    """Share of the answers with a status of 500 or more, 0 to 1."""
    servers: int | None = None
    """Servers whose health the gateway checks."""
    servers_up: int | None = None


@dataclass(frozen=True)
class Certificate:
    """What the gateway shows to those who come by HTTPS."""

    expires: datetime | None
    """With a zone; None where it is not known."""
    expired: bool = False
