"""Where a stack's pages and APIs are reached. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from msctl.assessment import EntryPoint
from msctl.errors import MsctlError, UsageProblem
from msctl.fields import is_http_url, shown
from msctl.fields.ports import PublishedPort, parse_port
from msctl.model import GATEWAY, Gateway, Service, Stack
from msctl.render.traefik import WEB, WEBSECURE
from msctl.variables import PROMETHEUS

PAGES = (GATEWAY, "grafana", "prometheus")
"""The pages that `msctl dashboard` knows: the gateway's, and those of services of that name."""
_USUAL_PORTS = {"grafana": 3000, "prometheus": 9090}


def prometheus_url(stack: Stack, environ: Mapping[str, str]) -> str:
    """The Prometheus that msctl asks: the environment's, else the stack file's.

    Raises:
        UsageProblem: the environment's is no URL.
    """
    given = environ.get(PROMETHEUS)
    if not given:
        return stack.metrics.prometheus
    if not is_http_url(given):
        raise UsageProblem(
            f"${PROMETHEUS}: {shown(given)} is not a URL (such as http://127.0.0.1:9090)"
        )
    return given.rstrip("/")


@dataclass(frozen=True)
class Page:
    """A page of the stack for a browser."""

    url: str
    service: str
    """Who serves it."""


def page(stack: Stack, name: str) -> Page:
    """Where a page is published.

    Raises:
        UsageProblem: the stack has no such service.
        MsctlError: its page is published nowhere, or on a port that is not known beforehand.
    """
    if name == GATEWAY:
        return _gateway(stack)
    if (service := stack.services.get(name)) is None:
        raise UsageProblem(
            f"{stack.name} has no service called {name}",
            hint=f"add it to the services of the stack file; msctl looks for it by the name {name}",
        )
    port = _published(service)
    if port is None or port.published is None:
        number = service.port or _USUAL_PORTS[name]
        raise MsctlError(
            f"services.{name}.ports publishes no fixed port for its pages",
            hint=f'write ports: ["127.0.0.1:{number}:{number}"] under it, then msctl up',
        )
    return Page(f"http://{_host(port.host_ip)}:{port.published.start}", name)


def _gateway(stack: Stack) -> Page:
    if not stack.routed:
        raise UsageProblem(f"no service of {stack.name} has routes, so that there is no gateway")
    url = dashboard_url(stack.gateway)
    if url is None:
        raise MsctlError(
            "the gateway's dashboard is off (gateway.dashboard)",
            hint="write dashboard: 127.0.0.1:8080 under gateway, then msctl up",
        )
    return Page(url, GATEWAY)


def _published(service: Service) -> PublishedPort | None:
    """The port that leads to the service's own, else its first one."""
    ports = [port for entry in service.ports if (port := parse_port(entry)).protocol == "tcp"]
    own = (port for port in ports if service.port in port.target)
    return next(own, ports[0] if ports else None)


def _host(address: str | None) -> str:
    if address in (None, "0.0.0.0", "::"):
        return "localhost"
    return f"[{address}]" if ":" in str(address) else str(address)


def published_url(gateway: Gateway) -> str | None:
    """Where requests go; None when the gateway publishes nothing."""
    if gateway.tls_on:
        return _url("https", gateway.https, 443)
    return _url("http", gateway.http, 80)


def entry_points(gateway: Gateway) -> tuple[EntryPoint, ...]:
    """Where the gateway is reached, by Traefik's names of its entry points."""
    https = _url("https", gateway.https, 443) if gateway.tls_on else None
    found = {WEB: _url("http", gateway.http, 80), WEBSECURE: https}
    return tuple(EntryPoint(name, url) for name, url in found.items() if url)


def dashboard_url(gateway: Gateway) -> str | None:
    """The dashboard's page; None when it is off."""
    url = _url("http", gateway.dashboard, 80)
    return f"{url}/dashboard/" if url else None


def outer_dashboard_url(gateway: Gateway) -> str | None:
    """The dashboard's page for those outside, who have its password; None without a host."""
    if gateway.dashboard_host is None or gateway.https is None:
        return None
    port = gateway.https.rpartition(":")[2]
    return f"https://{gateway.dashboard_host}{'' if port == '443' else f':{port}'}/dashboard/"


def _url(scheme: str, publish: str | None, default: int) -> str | None:
    if publish is None:
        return None
    host, _, port = publish.rpartition(":")
    if host in ("", "0.0.0.0", "[::]"):
        host = "localhost"
    return f"{scheme}://{host}" + ("" if int(port) == default else f":{port}")
