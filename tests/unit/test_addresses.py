"""Where a stack's Prometheus and pages are."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from msctl.addresses import page, prometheus_url
from msctl.config import load
from msctl.errors import MsctlError, UsageProblem
from msctl.model import Stack

MUSICSHARE = Path(__file__).parents[2] / "compose" / "stack.yaml"
WEB = {"services": {"web": {"image": "web:1"}}}


def stack(**top: object) -> Stack:
    return Stack.read({"name": "shop", **WEB, **top})


def test_the_environment_wins_over_the_file_and_the_file_over_the_default() -> None:
    """`$MSCTL_PROMETHEUS`, then `metrics.prometheus`, then this machine's port 9090."""
    plain, told = stack(), stack(metrics={"prometheus": "http://monitor:9999/prom/"})
    assert prometheus_url(plain, {}) == "http://127.0.0.1:9090"
    assert prometheus_url(plain, {"MSCTL_PROMETHEUS": ""}) == "http://127.0.0.1:9090"
    assert prometheus_url(told, {}) == "http://monitor:9999/prom"
    assert prometheus_url(told, {"MSCTL_PROMETHEUS": "https://[::1]:1/"}) == "https://[::1]:1"


@pytest.mark.parametrize(
    "url",
    ["monitor:9090", "ftp://monitor", "http://", "http://a:99999", "http://a b", "http://a?b"],
)
def test_what_is_no_url_is_refused(url: str) -> None:
    """Told with the variable's name, before anything is asked."""
    with pytest.raises(UsageProblem, match=r"\$MSCTL_PROMETHEUS: .* is not a URL"):
        prometheus_url(stack(), {"MSCTL_PROMETHEUS": url})


@pytest.mark.parametrize(("environ", "port"), [({}, 9090), ({"PROMETHEUS_PORT": "9191"}, 9191)])
def test_musicshare_asks_where_it_publishes(environ: dict[str, str], port: int) -> None:
    """Whoever moves the port moves the question along."""
    found = load(MUSICSHARE, environ).stack
    assert prometheus_url(found, {}) == f"http://127.0.0.1:{port}"
    text = yaml.safe_dump(found.services["prometheus"].ports)
    assert f"127.0.0.1:{port}:9090" in text


def pages(**services: object) -> Stack:
    return stack(services={**WEB["services"], **services})


@pytest.mark.parametrize(
    ("ports", "url"),
    [
        (["127.0.0.1:3010:3000"], "http://127.0.0.1:3010"),
        (["3010:3000"], "http://localhost:3010"),
        (["[::1]:3010:3000"], "http://[::1]:3010"),
        (["9999:9999", "3010:3000"], "http://localhost:3010"),
        (["3010:3000/udp", "8000:80"], "http://localhost:8000"),
        ([{"target": 3000, "published": "3010", "host_ip": "0.0.0.0"}], "http://localhost:3010"),
    ],
)
def test_a_page_is_where_its_service_publishes_it(ports: list[object], url: str) -> None:
    """By the port that leads to the service's own, else its first one."""
    found = pages(grafana={"image": "g", "port": 3000, "ports": ports})
    assert page(found, "grafana").url == url


@pytest.mark.parametrize("ports", [[], ["3000"], ["3010:3000/udp"]])
def test_a_page_that_is_published_nowhere_is_told(ports: list[object]) -> None:
    """And what to write, so that it is."""
    found = pages(prometheus={"image": "p", "ports": ports})
    with pytest.raises(MsctlError, match=r"services\.prometheus\.ports") as error:
        page(found, "prometheus")
    assert error.value.hint == 'write ports: ["127.0.0.1:9090:9090"] under it, then msctl up'


def test_a_stack_without_routes_has_no_dashboard() -> None:
    """There is no gateway."""
    with pytest.raises(UsageProblem, match="there is no gateway"):
        page(stack(), "traefik")
