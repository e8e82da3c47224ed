"""The gateway's own settings: a file for its file provider, beside the pins.

It holds what belongs to no replica: certificates and TLS options, the dashboard's router, and the
middlewares that ask for a password. Hashes of passwords are in files beside it, since the gateway's
API shows what a middleware's own text says.

Names carry the digest of what is in them. A change is a new file: it is written, and when the
gateway has it, the old one is emptied. Of two that say the same, Traefik (3.7) keeps one and warns,
so that there is no moment without; the empty service `gateway-DIGEST` tells that it was read
(tried).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from msctl.frozen import dataclass
from msctl.model import Headers, RateLimit, Stack
from msctl.render.traefik import ACME, DYNAMIC_FOLDER, WEBSECURE
from msctl.render.traefik.hosts import certificate_hosts
from msctl.render.traefik.middlewares import auth_options, header_options, rate_options, with_users
from msctl.render.traefik.pins import nested, template_free

ADMIN = "admin"
"""The dashboard's user."""
DASHBOARD = "dashboard"
DASHBOARD_LIMIT = RateLimit(average=50, burst=200)
"""The page asks for some thirty files and an answer every five seconds; guessing is slow."""
DASHBOARD_PRIORITY = 2_000_000
"""More than any route's: the host is the dashboard's alone."""
MIN_VERSION = "VersionTLS12"
_FILE = re.compile(r"gateway-([0-9a-f]{12})\.yml")
_USERS_FILE = re.compile(r"users-[0-9a-f]{12}\.htpasswd")


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM; those between it and its authority follow it."""

    certificate: str
    key: str


@dataclass(frozen=True)
class Settings:
    """What is to be written, and how the gateway calls it."""

    digest: str
    files: Mapping[str, str]
    """Contents by file name; the last one is the one that names the others."""


def file_name(digest: str) -> str:
    return f"gateway-{digest}.yml"


def digest_of_file(name: str) -> str | None:
    """The digest in a file's name; None where it is no file of settings."""
    found = _FILE.fullmatch(name)
    return found[1] if found else None


def is_users_file(name: str) -> bool:
    return _USERS_FILE.fullmatch(name) is not None


def gateway_name(digest: str) -> str:
    """What the gateway's API calls the service that tells that the settings were read."""
    return f"gateway-{digest}@file"


def users(stack: Stack) -> tuple[str, ...]:
    """Everybody who has a password."""
    if not stack.routed:
        return ()
    found = {user for middleware in with_users(stack).values() for user in middleware.users}
    return tuple(sorted(found | ({ADMIN} if stack.gateway.dashboard_host else set())))


def settings(stack: Stack, pair: Pair | None, hashes: Mapping[str, str]) -> Settings | None:
    """The settings of a stack; None where there is nothing to say.

    `hashes`: bcrypt, by user. `pair` is None where Let's Encrypt has the certificate, or TLS is
    off.
    """
    logins = _Logins(hashes)
    middlewares: dict[str, Any] = {
        name: {middleware.kind: logins.options(middleware.options, middleware.users)}
        for name, middleware in with_users(stack).items()
    }
    http: dict[str, Any] = {}
    if stack.gateway.dashboard_host is not None:
        http["routers"] = {DASHBOARD: _dashboard_router(stack.gateway.dashboard_host)}
        middlewares |= _dashboard_middlewares(stack, logins)
    if middlewares:
        http["middlewares"] = middlewares
    content: dict[str, Any] = {"http": http} if http else {}
    if stack.gateway.tls_on:
        content["tls"] = _tls(stack, pair)
    if not content or not stack.routed:
        return None
    digest = _digest(json.dumps(content))
    marker: dict[str, Any] = {f"gateway-{digest}": {"loadBalancer": {"servers": []}}}
    content["http"] = {**http, "services": marker}
    return Settings(digest, {**logins.files, file_name(digest): template_free(content)})


class _Logins:
    """Files of users, made while the middlewares that name them are."""

    def __init__(self, hashes: Mapping[str, str]) -> None:
        self._hashes = hashes
        self.files: dict[str, str] = {}

    def options(self, options: Mapping[str, str], names: tuple[str, ...]) -> dict[str, Any]:
        text = "".join(f"{name}:{self._hashes[name]}\n" for name in names)
        file = f"users-{_digest(text)}.htpasswd"
        self.files[file] = text
        return {**options, "usersfile": f"{DYNAMIC_FOLDER}/{file}"}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _dashboard_router(host: str) -> dict[str, Any]:
    return {
        "rule": f"Host(`{host}`)",
        "entryPoints": [WEBSECURE],
        "priority": DASHBOARD_PRIORITY,
        "service": "api@internal",
        "tls": {},
        "middlewares": [f"{DASHBOARD}-{kind}" for kind in ("headers", "limit", "auth", "page")],
    }


def _dashboard_middlewares(stack: Stack, logins: _Logins) -> dict[str, Any]:
    to_the_page = {"regex": "^https://([^/]+)/?$", "replacement": "https://${1}/dashboard/"}
    return {
        f"{DASHBOARD}-headers": {"headers": nested(header_options(stack, Headers()))},
        f"{DASHBOARD}-limit": {"ratelimit": nested(rate_options(DASHBOARD_LIMIT))},
        f"{DASHBOARD}-auth": {"basicauth": logins.options(auth_options(stack), (ADMIN,))},
        f"{DASHBOARD}-page": {"redirectRegex": to_the_page},
    }


def _tls(stack: Stack, pair: Pair | None) -> dict[str, Any]:
    store: dict[str, Any] = {}
    if pair is not None:
        store = {"defaultCertificate": {"certFile": pair.certificate, "keyFile": pair.key}}
    elif stack.gateway.tls.mode == "acme":
        main, *others = certificate_hosts(stack)
        domain = {"main": main, "sans": others} if others else {"main": main}
        store = {"defaultGeneratedCert": {"resolver": ACME, "domain": domain}}
    return {
        "options": {"default": {"minVersion": MIN_VERSION}},
        **({"stores": {"default": store}} if store else {}),
    }
