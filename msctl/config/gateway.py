"""What the gateway is to do, against the rest of the stack: TLS, the dashboard, middlewares."""

from __future__ import annotations

from collections.abc import Iterator

from msctl.config.problems import Path
from msctl.model import Service, Stack
from msctl.render.traefik.hosts import certificate_hosts

Found = Iterator[tuple[Path, str]]
MIDDLEWARES = (
    "rate_limit",
    "in_flight",
    "headers",
    "ip_allow",
    "basic_auth",
    "body_limit",
    "retry",
)
"""Keys that a service and its routes have."""


def problems(stack: Stack) -> Found:
    """What is wrong with the gateway of a stack that has one."""
    if not stack.routed:
        return
    gateway, tls = stack.gateway, stack.gateway.tls
    if not gateway.http and not gateway.tls_on:
        what = "https" if gateway.https is None else "TLS"
        advice = "" if gateway.https is None else "; publish http"
        message = f"http and {what} are both off, so no route can be reached{advice}"
        yield ("gateway", "http"), message
    if gateway.dashboard_host is not None:
        if not gateway.tls_on:
            message = "dashboard_host needs HTTPS: its password must not be sent in the clear"
            yield ("gateway", "dashboard_host"), message
        for name, service in stack.services.items():
            for index, route in enumerate(service.routes):
                if route.host == gateway.dashboard_host:
                    message = f"{route.host} is the dashboard's (gateway.dashboard_host)"
                    yield ("services", name, "routes", index), message
    if tls.mode == "acme" and gateway.tls_on:
        if not certificate_hosts(stack):
            message = "mode acme needs hosts: no route has a host, and gateway.tls.hosts is empty"
            yield ("gateway", "tls"), message
        if tls.challenge == "http" and gateway.http is None:
            message = "challenge http needs gateway.http, published at port 80; it is off"
            yield ("gateway", "tls", "challenge"), message


def of_service(service: Service) -> Found:
    """Keys that only the gateway can see to."""
    if service.routes:
        return
    for key in MIDDLEWARES:
        if key in service.given:
            yield (key,), f"{key} needs routes; the gateway sees to it"
