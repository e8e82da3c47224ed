"""The middlewares of a service's routers, in the order in which a request meets them.

One description of each, from which its labels are made; a pin has what the labels say. The one
exception is `basic_auth`: the hashes of passwords are in no label, so that its middleware is in the
gateway's own file (see `msctl.render.traefik.settings`), which labels and pins name as `NAME@file`.

Kinds and options are Traefik 3.7's (https://doc.traefik.io/traefik/v3.7/reference/).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field

from msctl.fields import show_duration
from msctl.frozen import dataclass
from msctl.model import Headers, RateLimit, Route, Service, Stack
from msctl.render.traefik.routers import router_names

IPV6_SUBNET = {"sourcecriterion.ipstrategy.ipv6subnet": "64"}
"""Clients are told apart by address; of IPv6 by the part that a provider gives one of them."""


@dataclass(frozen=True)
class Middleware:
    """One middleware of the gateway."""

    name: str
    kind: str
    """Traefik's name, such as `ratelimit`."""
    options: Mapping[str, str] = field(default_factory=dict)
    """By Traefik's names, dots for nesting."""
    users: tuple[str, ...] = ()
    """Who may come; such a middleware is in the gateway's own file."""

    @property
    def reference(self) -> str:
        """What a router of a label or a pin calls it."""
        return f"{self.name}@file" if self.users else self.name

    def labels(self) -> dict[str, str]:
        """Nothing for one that is in the gateway's own file."""
        if self.users:
            return {}
        prefix = f"traefik.http.middlewares.{self.name}.{self.kind}"
        return {f"{prefix}.{option}": value for option, value in self.options.items()}


_Kind = tuple[str, dict[str, str]]
"""Traefik's name of a middleware, and its options."""


def middlewares(stack: Stack, name: str, service: Service) -> Mapping[str, tuple[Middleware, ...]]:
    """What a request meets before the service, by router.

    A key that no route has for itself makes one middleware for the service, `SERVICE-KIND`;
    otherwise there is one for each router, `ROUTER-KIND`.
    """
    routers = dict(zip(router_names(name, service), service.routes, strict=True))
    return {
        router: tuple(_chain(stack, name, service, router, route))
        for router, route in routers.items()
    }


def with_users(stack: Stack) -> Mapping[str, Middleware]:
    """The middlewares of the stack that ask for a password, by name."""
    return {
        middleware.name: middleware
        for name, service in stack.services.items()
        for chain in middlewares(stack, name, service).values()
        for middleware in chain
        if middleware.users
    }


def _chain(
    stack: Stack, name: str, service: Service, router: str, route: Route
) -> Iterator[Middleware]:
    for key, make in _KINDS.items():
        said = key in route.given
        of_routes = key == "strip" or any(key in one.given for one in service.routes)
        source = route if said or key == "strip" else service
        found = make(stack, source)
        if found is not None:
            kind, options = found
            users = tuple(sorted(set(source.basic_auth or ()))) if key == "basic_auth" else ()
            yield Middleware(f"{router if of_routes else name}-{kind}", kind, options, users)


def _headers(stack: Stack, source: Route | Service) -> _Kind | None:
    if source.headers is None:
        return None
    return "headers", header_options(stack, source.headers)


def header_options(stack: Stack, headers: Headers) -> dict[str, str]:
    """Options of Traefik's `headers` middleware."""
    frame = {"deny": ("framedeny", "true"), "sameorigin": ("customframeoptionsvalue", "SAMEORIGIN")}
    said = {
        "referrerpolicy": headers.referrer,
        "contentsecuritypolicy": headers.csp,
        "permissionspolicy": headers.permissions,
    }
    # What a server is made of is nobody's business.
    response = {"Server": "", "X-Powered-By": "", **headers.response}
    options = {"contenttypenosniff": "true"}
    if headers.frame is not None:
        options |= [frame[headers.frame]]
    options |= {option: value for option, value in said.items() if value}
    options |= {f"customresponseheaders.{name}": value for name, value in response.items()}
    if headers.hsts and stack.gateway.tls_on and stack.gateway.tls.mode != "self-signed":
        # A browser would lock out whoever does not trust the stack's own authority (yet).
        options["stsseconds"] = str(int(headers.hsts.total_seconds()))
    return options


def _ip_allow(_: Stack, source: Route | Service) -> _Kind | None:
    if source.ip_allow is None:
        return None
    return "ipallowlist", {"sourcerange": ",".join(source.ip_allow)}


def _rate_limit(_: Stack, source: Route | Service) -> _Kind | None:
    limit = source.rate_limit
    return None if limit is None else ("ratelimit", rate_options(limit))


def rate_options(limit: RateLimit) -> dict[str, str]:
    """Options of Traefik's `ratelimit` middleware: a limit for each client address."""
    return {
        "average": str(limit.average),
        "burst": str(limit.burst or limit.average),
        "period": show_duration(limit.period),
        **IPV6_SUBNET,
    }


def _in_flight(_: Stack, source: Route | Service) -> _Kind | None:
    if source.in_flight is None:
        return None
    return "inflightreq", {"amount": str(source.in_flight), **IPV6_SUBNET}


def _basic_auth(stack: Stack, source: Route | Service) -> _Kind | None:
    if source.basic_auth is None:
        return None
    return "basicauth", auth_options(stack)


def auth_options(stack: Stack) -> dict[str, str]:
    """Options of Traefik's `basicauth` middleware but its users; a service has no use for the
    password."""
    return {"realm": stack.name, "removeheader": "true"}


def _body_limit(_: Stack, source: Route | Service) -> _Kind | None:
    if source.body_limit is None:
        return None
    return "buffering", {"maxrequestbodybytes": str(source.body_limit)}


def _strip(_: Stack, source: Route | Service) -> _Kind | None:
    if not isinstance(source, Route) or not source.strip:
        return None
    return "stripprefix", {"prefixes": source.path}


def _retry(_: Stack, source: Route | Service) -> _Kind | None:
    retry = source.retry
    if retry is None:
        return None
    interval = show_duration(retry.interval)
    return "retry", {"attempts": str(retry.attempts), "initialinterval": interval}


_KINDS: Mapping[str, Callable[[Stack, Route | Service], _Kind | None]] = {
    # The outermost: what the others answer has these headers too.
    "headers": _headers,
    "ip_allow": _ip_allow,
    # Before a password is checked, so that guessing is slow.
    "rate_limit": _rate_limit,
    "in_flight": _in_flight,
    "basic_auth": _basic_auth,
    "body_limit": _body_limit,
    "strip": _strip,
    "retry": _retry,
}
"""By the key of the stack file, in the order in which a request meets them."""
