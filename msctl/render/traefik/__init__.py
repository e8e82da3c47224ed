"""What the gateway is told: labels on the services' containers, and its own static flags.

Names and semantics are Traefik 3.7's (https://doc.traefik.io/traefik/v3.7/reference/).
"""

from __future__ import annotations

from msctl.fields import show_duration
from msctl.model import Route, Service, Stack
from msctl.render.socketproxy import ENDPOINT, GATEWAY_SOCKET, image_of
from msctl.render.traefik.middlewares import middlewares
from msctl.render.traefik.routers import priority, rule

DYNAMIC_FOLDER = "/etc/traefik/dynamic"
"""Where the gateway's file provider looks for pins."""
WEB, WEBSECURE, API, PROBE = "web", "websecure", "traefik", "probe"
"""Entry points: HTTP, HTTPS, the API with ping and metrics, and routers for msctl alone.

A router of msctl's cannot use the API's entry point: the dashboard there answers every path.
"""
ACME, ACME_FOLDER = "acme", "/etc/traefik/acme"
"""Let's Encrypt's certificate resolver, and where its account and certificates are kept."""
STAGING = "https://acme-staging-v02.api.letsencrypt.org/directory"
ENTRY_POINT_PORTS = {WEB: 80, WEBSECURE: 443, API: 8080, PROBE: 8081}
"""Their ports in the gateway's container."""
GRACE = "3s"
"""Time that requests inside the gateway have to end when it is stopped."""
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.5, 5.0, 10.0)
"""Upper bounds of the latency histogram, in seconds."""


def entry_point(stack: Stack) -> str:
    """Where the routes are served; by HTTP only when TLS is off."""
    return WEBSECURE if stack.gateway.tls_on else WEB


def service_labels(stack: Stack, name: str, service: Service) -> dict[str, str]:
    """The labels by which the gateway finds a service; none for one without routes."""
    if not service.routes:
        return {}
    labels = {
        "traefik.enable": "true",
        "traefik.docker.network": stack.network_name(stack.networks_of(service)[0]),
    }
    chains = middlewares(stack, name, service)
    for (router, chain), route in zip(chains.items(), service.routes, strict=True):
        labels |= _router_labels(stack, name, router, route)
        if chain:
            references = [middleware.reference for middleware in chain]
            labels[f"traefik.http.routers.{router}.middlewares"] = ",".join(references)
        for middleware in chain:
            labels |= middleware.labels()
    return labels | _balancer_labels(name, service)


def _router_labels(stack: Stack, name: str, router: str, route: Route) -> dict[str, str]:
    prefix = f"traefik.http.routers.{router}"
    labels = {
        f"{prefix}.rule": rule(route),
        f"{prefix}.entrypoints": entry_point(stack),
        # Explicit, so that a pin can have the same one.
        f"{prefix}.priority": str(priority(route)),
        # Explicit, since Traefik cannot guess it for a container with several routers.
        f"{prefix}.service": name,
    }
    if stack.gateway.tls_on:
        labels[f"{prefix}.tls"] = "true"
    return labels


def _balancer_labels(name: str, service: Service) -> dict[str, str]:
    prefix = f"traefik.http.services.{name}.loadbalancer"
    labels = {f"{prefix}.server.port": str(service.port)}
    if service.health and service.health.path:
        labels |= {
            f"{prefix}.healthcheck.path": service.health.path,
            f"{prefix}.healthcheck.interval": show_duration(service.health.interval),
            f"{prefix}.healthcheck.timeout": show_duration(service.health.timeout),
        }
    if service.sticky:
        cookie = f"{prefix}.sticky.cookie"
        labels |= {cookie: "true", f"{cookie}.name": service.sticky.name}
        if service.sticky.secure:
            labels[f"{cookie}.secure"] = "true"
        if service.sticky.http_only:
            labels[f"{cookie}.httponly"] = "true"
        if service.sticky.same_site:
            labels[f"{cookie}.samesite"] = service.sticky.same_site
        if service.sticky.max_age is not None:
            labels[f"{cookie}.maxage"] = str(service.sticky.max_age)
    return labels


def gateway_flags(stack: Stack) -> list[str]:
    """The gateway's static configuration; the user's own flags come last.

    It is complete from the start, because changing it replaces the gateway, which loses requests.
    """
    return [
        "--global.checknewversion=false",
        *_entry_point_flags(stack),
        *_api_flags(stack),
        *_provider_flags(stack),
        *_acme_flags(stack),
        # A replica that vanished is given up soon, so that a retry reaches another one.
        "--serverstransport.forwardingtimeouts.dialtimeout=500ms",
        "--log.level=INFO",
        "--log.nocolor=true",
        "--accesslog=true",
        "--accesslog.format=json",
        "--accesslog.fields.headers.names.X-Request-Id=keep",
        "--metrics.prometheus=true",
        "--metrics.prometheus.addentrypointslabels=true",
        "--metrics.prometheus.addrouterslabels=true",
        "--metrics.prometheus.addserviceslabels=true",
        f"--metrics.prometheus.buckets={','.join(map(str, BUCKETS))}",
        *stack.gateway.args,
    ]


def _entry_point_flags(stack: Stack) -> list[str]:
    gateway = stack.gateway
    flags = [f"--entrypoints.{name}.address=:{port}" for name, port in ENTRY_POINT_PORTS.items()]
    if gateway.tls_on and gateway.http:
        published = str(gateway.https).rpartition(":")[2]
        redirect = f"--entrypoints.{WEB}.http.redirections.entrypoint"
        flags += [
            # The container's own HTTPS port means nothing to a client.
            f"{redirect}.to=:{published}",
            f"{redirect}.scheme=https",
            f"{redirect}.permanent=true",
        ]
    flags += [
        # A gateway that ends refuses what comes, as long as somebody is inside: a WebSocket, say.
        f"--entrypoints.{name}.transport.lifecycle.gracetimeout={GRACE}"
        for name in (WEB, WEBSECURE)
    ]
    return [
        *flags,
        # msctl's own requests are no traffic.
        f"--entrypoints.{PROBE}.observability.accesslogs=false",
        f"--entrypoints.{PROBE}.observability.metrics=false",
    ]


def _api_flags(stack: Stack) -> list[str]:
    """Ping always; the API where it is published, or where msctl is told that it is. The host of
    the dashboard needs the API, but not its entry point without a password."""
    gateway = stack.gateway
    flags = ["--ping=true"]
    asked = gateway.dashboard or gateway.api or stack.autoscaler.enabled
    if asked or gateway.dashboard_host:
        flags.append("--api.dashboard=true")
    if asked:
        flags.append("--api.insecure=true")
    return flags


def _acme_flags(stack: Stack) -> list[str]:
    """Certificates of trials are kept apart: they would be shown until they end."""
    tls = stack.gateway.tls
    if tls.mode != "acme" or not stack.gateway.tls_on:
        return []
    prefix = f"--certificatesresolvers.{ACME}.acme"
    storage = "staging" if tls.staging else "production"
    return [
        f"{prefix}.email={tls.email}",
        f"{prefix}.storage={ACME_FOLDER}/{storage}.json",
        f"{prefix}.httpchallenge.entrypoint={WEB}"
        if tls.challenge == "http"
        else f"{prefix}.tlschallenge=true",
        *([f"{prefix}.caserver={STAGING}"] if tls.staging else []),
    ]


def _provider_flags(stack: Stack) -> list[str]:
    endpoint = ENDPOINT if image_of(stack) else f"unix://{GATEWAY_SOCKET}"
    return [
        "--providers.docker=true",
        f"--providers.docker.endpoint={endpoint}",
        "--providers.docker.exposedbydefault=false",
        f"--providers.docker.constraints=Label(`com.docker.compose.project`,`{stack.name}`)",
        f"--providers.file.directory={DYNAMIC_FOLDER}",
        "--providers.file.watch=true",
        # A pin wins over the labels at equal priority.
        "--providers.precedence=file,docker",
        "--providers.providersthrottleduration=200ms",
    ]
