"""What the gateway leads where: IngressRoutes and Middlewares (`traefik.io/v1alpha1`).

Of the same data as the labels of Compose, so that a request meets the same on both. The labels'
names of options know no case; the ones of the custom resources are below.

Health checks are missing on purpose: Traefik (3.7, tried) refuses `healthCheck` on a Service that
is no ExternalName, and leaves the route out. The readiness probe takes its place.

A cluster may have another Traefik, which reads every namespace (that of k3s does). The routes are
of the gateway's class, so that no other one leads from outside to what is reached in the cluster
only. For the same reason there is neither a TLSStore nor a TLSOption `default`, which would be that
one's default too: the routes name their certificate, and Traefik begins with TLS 1.2 by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from msctl.model import GATEWAY, Service, Stack
from msctl.render.kubernetes.names import GATEWAY_NAME, Data, Maker, dns_name, filled
from msctl.render.kubernetes.workloads import is_public
from msctl.render.traefik.middlewares import Middleware, middlewares
from msctl.render.traefik.pins import nested
from msctl.render.traefik.routers import priority, rule

API = "traefik.io/v1alpha1"
WEB, WEBSECURE, INTERNAL, READY = "web", "websecure", "internal", "ready"
REDIRECT = "https-redirect"
SECRET = "traefik-gateway-tls"
"""The Secret with the certificate, which cert-manager makes."""
CLASS = GATEWAY_NAME
"""The class of the routes."""
_NAMES = (
    "headers", "ipAllowList", "rateLimit", "inFlightReq", "buffering", "stripPrefix", "retry",
    "customResponseHeaders", "contentTypeNosniff", "frameDeny", "customFrameOptionsValue",
    "referrerPolicy", "contentSecurityPolicy", "permissionsPolicy", "stsSeconds", "sourceRange",
    "average", "burst", "period", "sourceCriterion", "ipStrategy", "ipv6Subnet", "depth", "amount",
    "maxRequestBodyBytes", "prefixes", "attempts", "initialInterval",
)  # fmt: skip
_BY_LABEL = {name.lower(): name for name in _NAMES}
_NUMBERS = {
    "average", "burst", "amount", "attempts", "stsSeconds", "maxRequestBodyBytes", "ipv6Subnet",
    "depth",
}  # fmt: skip
_FLAGS = {"contentTypeNosniff", "frameDeny"}
_LISTS = {"sourceRange", "prefixes"}
_WHERE_CLIENT_IS = {
    "ipallowlist": "ipstrategy.depth",
    "ratelimit": "sourcecriterion.ipstrategy.depth",
    "inflightreq": "sourcecriterion.ipstrategy.depth",
}
_FREE = {"customResponseHeaders"}
"""Whose keys are names of headers."""


def middleware_spec(middleware: Middleware) -> Data:
    """The `spec` of a Middleware.

    Raises:
        KeyError: an option that this module has no name for.
    """
    return {_BY_LABEL[middleware.kind]: _options(nested(middleware.options))}


def _options(options: Mapping[str, Any]) -> Data:
    found: Data = {}
    for label, value in options.items():
        name = _BY_LABEL[label]
        if name in _FREE:
            found[name] = dict(value)
        elif isinstance(value, Mapping):
            found[name] = _options(value)
        elif name in _NUMBERS:
            found[name] = int(value)
        elif name in _FLAGS:
            found[name] = value == "true"
        else:
            found[name] = value.split(",") if name in _LISTS else value
    return found


def routes(make: Maker) -> Iterator[Data]:
    """Middlewares and IngressRoutes of all services, the redirect to HTTPS, and the gateway's own
    answer to whether it is ready."""
    stack = make.stack
    yield _readiness(make)
    if stack.gateway.tls_on and stack.gateway.http is not None:
        yield from _redirect(make)
    for name, service in stack.services.items():
        if service.routes:
            yield from _of_service(make, name, service)


def _of_service(make: Maker, name: str, service: Service) -> Iterator[Data]:
    """The service's IngressRoute; one more for what the public services pass on.

    There the client's address is in a header, and no TLS is between.
    """
    chains = middlewares(make.stack, name, service)
    every = {one.name: one for chain in chains.values() for one in chain}
    internal = {one.name: as_passed_on(one) for one in every.values()} if passed_on(make) else {}
    for middleware in {one.name: one for one in (*every.values(), *internal.values())}.values():
        yield make.object(
            f"{API} Middleware",
            dns_name(middleware.name),
            name,
            "middleware",
            spec=middleware_spec(middleware),
        )
    tls_on = make.stack.gateway.tls_on
    certificate = {"secretName": SECRET} if issued(make.stack) else {}
    spec = {
        "entryPoints": [WEBSECURE if tls_on else WEB],
        "routes": _rules(name, service, chains),
        **({"tls": certificate} if tls_on else {}),
    }
    yield _route(make, f"{name}-route", name, spec)
    if internal:
        chains = {
            router: tuple(internal[one.name] for one in chain) for router, chain in chains.items()
        }
        spec = {"entryPoints": [INTERNAL], "routes": _rules(name, service, chains)}
        yield _route(make, f"{name}-route-internal", name, spec)


def _route(make: Maker, name: str, of: str, spec: Data) -> Data:
    """An IngressRoute. Traefiks older than 3.7.1 know the class by the annotation alone."""
    return make.object(
        f"{API} IngressRoute",
        name,
        of,
        "route",
        annotations={"kubernetes.io/ingress.class": CLASS},
        spec={"ingressClassName": CLASS, **spec},
    )


def issued(stack: Stack) -> bool:
    """Whether cert-manager issues a certificate for the gateway."""
    return stack.gateway.tls_on and stack.kubernetes.cert_manager


def passed_on(make: Maker) -> bool:
    """Whether public services stand before the gateway."""
    return any(is_public(service) for service in make.stack.services.values())


def as_passed_on(middleware: Middleware) -> Middleware:
    """A middleware that tells clients apart, where their address is the last of X-Forwarded-For."""
    option = _WHERE_CLIENT_IS.get(middleware.kind)
    if option is None:
        return middleware
    options = {**middleware.options, option: "1"}
    return replace(middleware, name=f"{middleware.name}-{INTERNAL}", options=options)


def _rules(name: str, service: Service, chains: Mapping[str, tuple[Middleware, ...]]) -> list[Data]:
    target = {"kind": "Service", "name": name, "port": service.port, **_sticky(service)}
    return [
        {
            "kind": "Rule",
            "match": rule(route),
            "priority": priority(route),
            **filled({"middlewares": [{"name": dns_name(one.name)} for one in chain]}),
            "services": [target],
        }
        for chain, route in zip(chains.values(), service.routes, strict=True)
    ]


def _sticky(service: Service) -> Data:
    sticky = service.sticky
    if sticky is None:
        return {}
    cookie = {
        "name": sticky.name,
        "secure": sticky.secure or None,
        "httpOnly": sticky.http_only or None,
        "sameSite": sticky.same_site,
        "maxAge": sticky.max_age,
    }
    return {"sticky": {"cookie": filled(cookie)}}


def _readiness(make: Maker) -> Data:
    """Traefik answers at /ping before it has read a route. At this one it answers as soon as it
    has, since it takes all of them at once; so that a replica that comes leads nobody to 404. It
    has an entry point of its own, since the dashboard takes every path at Traefik's."""
    rule = {
        "kind": "Rule",
        "match": f"Path(`/{READY}`)",
        "services": [{"kind": "TraefikService", "name": "ping@internal"}],
    }
    spec = {"entryPoints": [READY], "routes": [rule]}
    return _route(make, f"{GATEWAY_NAME}-ready", GATEWAY, spec)


def _redirect(make: Maker) -> Iterator[Data]:
    scheme = {"scheme": "https", "permanent": True}
    yield make.object(
        f"{API} Middleware", REDIRECT, GATEWAY, "middleware", spec={"redirectScheme": scheme}
    )
    everything = {
        "kind": "Rule",
        "match": "PathPrefix(`/`)",
        "priority": 1,
        "middlewares": [{"name": REDIRECT}],
        "services": [{"kind": "TraefikService", "name": "noop@internal"}],
    }
    spec = {"entryPoints": [WEB], "routes": [everything]}
    yield _route(make, f"{REDIRECT}-route", GATEWAY, spec)
