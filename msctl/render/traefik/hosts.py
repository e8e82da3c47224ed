"""The host names that a stack answers to."""

from __future__ import annotations

from msctl.model import Stack


def certificate_hosts(stack: Stack) -> tuple[str, ...]:
    """The names that its certificate is for: those of the file, else of routes and dashboard."""
    if stack.gateway.tls.hosts:
        return tuple(dict.fromkeys(stack.gateway.tls.hosts))
    routes = [route.host for service in stack.services.values() for route in service.routes]
    found = [host for host in (*routes, stack.gateway.dashboard_host) if host]
    return tuple(dict.fromkeys(found))


def reached_by(stack: Stack) -> tuple[str, ...]:
    """The names of the certificate, and the address where HTTPS is published, if it is one's own;
    loopback's go without saying."""
    published = (stack.gateway.https or "").rpartition(":")[0].strip("[]")
    own = () if published in ("", "0.0.0.0", "::") else (published,)
    return tuple(dict.fromkeys([*certificate_hosts(stack), *own]))
