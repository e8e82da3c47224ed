"""Where a stack's Prometheus and pages are."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from msctl.addresses import prometheus_url
from msctl.config import load
from msctl.errors import UsageProblem
from msctl.model import Stack

MUSICSHARE = Path(__file__).parents[2] / "compose" / "stack.yaml"
WEB = {"services": {"web": {"image": "web:1"}}}


def stack(**top: object) -> Stack:
    return Stack.model_validate({"name": "shop", **WEB, **top})


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
