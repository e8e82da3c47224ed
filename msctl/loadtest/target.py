"""Where the requests of a load test go: a service's route, through the published port."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from msctl.errors import MsctlError, UsageProblem
from msctl.model import Route, Service, Stack
from msctl.spelling import did_you_mean

_DEFAULT_PORTS = {"http": 80, "https": 443}
_PATH = re.compile(r"[/?]?[!-~\u00a1-\U0010ffff]*")
"""What `--path` may hold: no spaces and no control characters."""


@dataclass(frozen=True)
class Target:
    """One URL, and where its host is reached."""

    scheme: str
    host: str
    """Name or address that the connection is made to."""
    port: int
    where: str
    """Path and query."""
    name: str | None = None
    """The route's host: in the Host header, and what TLS asks for."""
    anywhere: bool = False
    """Whether the gateway publishes its port on every address of its machine."""
    method: str = "GET"
    timeout: float = 10.0
    """Seconds."""
    authority: str | None = None
    """The certificate, as PEM, of the only authority that may have signed the gateway's; None: any,
    for whom it names is not what a load test asks."""

    @property
    def url(self) -> str:
        """With the route's host, whatever address the connection is made to."""
        host = self.name or (f"[{self.host}]" if ":" in self.host else self.host)
        default = _DEFAULT_PORTS[self.scheme] == self.port
        return f"{self.scheme}://{host}{'' if default else f':{self.port}'}{self.where}"

    def at(self, engine_address: str) -> Target:
        """On the engine's machine, where that is reached by network: ports are published there."""
        parts = urlsplit(engine_address)
        remote = parts.scheme in ("tcp", "ssh", "http", "https")
        if not (self.anywhere and remote and parts.hostname):
            return self
        return replace(self, host=parts.hostname)


def target(
    stack: Stack,
    service: str,
    *,
    path: str | None = None,
    method: str = "GET",
    timeout: float = 10.0,
) -> Target:
    """The first route of a service, or where `path` leads from it.

    A path that begins with one of the service's routes is taken as it is; any other one is put
    behind the first route: `/login` of a service at `/api/users` is `/api/users/login`.

    Raises:
        UsageProblem: there is no such service, it has no routes, or the path is none.
        MsctlError: the gateway publishes no port.
    """
    route, where = _place(_routed(stack, service), path)
    gateway = stack.gateway
    scheme, publish = ("https", gateway.https) if gateway.tls_on else ("http", gateway.http)
    if publish is None:
        raise MsctlError(
            "the gateway publishes no port that requests could go to",
            hint="set gateway.http or gateway.https in the stack file",
        )
    host, _, port = publish.rpartition(":")
    host = host.strip("[]")
    anywhere = host in ("", "0.0.0.0", "::")
    return Target(
        scheme=scheme,
        host="127.0.0.1" if anywhere else host,
        port=int(port),
        where=where,
        name=route.host,
        anywhere=anywhere,
        method=method,
        timeout=timeout,
    )


def _routed(stack: Stack, name: str) -> Service:
    routed = [other for other, found in stack.services.items() if found.routes]
    named = f"; those with routes are {', '.join(routed)}" if routed else ""
    if name not in stack.services:
        raise UsageProblem(
            f"{name} is not a service of {stack.name}" + did_you_mean(name, stack.services),
            hint=f"msctl load-test {routed[0]}" if routed else None,
        )
    if not stack.services[name].routes:
        raise UsageProblem(
            f"{name} is internal: it has no routes, so the gateway leads no request to it{named}",
            hint=f"add routes to services.{name}, or msctl load-test {routed[0]}"
            if routed
            else f"add routes to services.{name}",
        )
    return stack.services[name]


def _place(service: Service, path: str | None) -> tuple[Route, str]:
    """The route, and the path with its query."""
    first = service.routes[0]
    if path is None:
        return first, first.path
    if "#" in path or "://" in path or not _PATH.fullmatch(path):
        raise UsageProblem(
            f"--path {path!r} is not the path of a URL", hint="such as --path '/items?page=2'"
        )
    if path.startswith("?"):
        return first, first.path + path
    path = path if path.startswith("/") else f"/{path}"
    for route in sorted(service.routes, key=lambda route: -len(route.path)):
        if _leads(route.path, path):
            return route, path
    return first, first.path.rstrip("/") + path


def _leads(route: str, path: str) -> bool:
    bare = path.partition("?")[0]
    return bare == route or bare.startswith(route.rstrip("/") + "/")
