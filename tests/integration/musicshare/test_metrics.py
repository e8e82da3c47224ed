"""MusicShare under load: what Prometheus, Grafana's dashboard and msctl tell of it."""

from __future__ import annotations

import json
import math
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from live import REPOSITORY, Visitor, until

from msctl.monitoring.prometheus import PrometheusApi
from musicshare.conftest import MusicShare

pytestmark = pytest.mark.engine

ROUTED = {
    "userservice", "music-service", "social-service", "notificationservice", "nextjs",
    "formulario-post", "frontend",
}  # fmt: skip
PATHS = {
    "userservice": "/api/users/x",
    "music-service": "/api/music/x",
    "social-service": "/api/social/x",
    "notificationservice": "/api/notifications/x",
}
FAILING = "formulario-post"
RATE = 5.0
"""Requests a second of each of them."""
DASHBOARD = REPOSITORY / "grafana" / "dashboards" / "musicshare.json"
MISBEHAVE = """
import sys, urllib.request
url, body = "http://127.0.0.1:80/_misbehave", sys.argv[1].encode()
headers = {"Content-Type": "application/json"}
urllib.request.urlopen(urllib.request.Request(url, body, headers))
"""


class Requests:
    """So many requests a second to a path, until it is stopped."""

    def __init__(self, visitor: Visitor, path: str) -> None:
        self._visitor, self._path = visitor, path
        self._stop = threading.Event()

    def run(self) -> int:
        """How many were sent."""
        began, sent = time.monotonic(), 0
        with self._visitor.session() as client:
            while not self._stop.wait(max(0.0, began + sent / RATE - time.monotonic())):
                client.get(self._path)
                sent += 1
        return sent

    def stop(self) -> None:
        self._stop.set()


@pytest.fixture(scope="module")
def busy(musicshare: MusicShare) -> Iterator[MusicShare]:
    """Five services get requests, one of them fails; Prometheus has seen enough to tell rates."""
    [failing] = musicshare.ids(FAILING)
    misbehave = ["python3", "-c", MISBEHAVE]
    loads = [Requests(musicshare.visitor, path) for path in (*PATHS.values(), f"/{FAILING}/x")]
    assert musicshare.exec(failing, *misbehave, '{"status": 500}') == (0, "")
    try:
        with ThreadPoolExecutor(len(loads)) as pool:
            runs = [pool.submit(load.run) for load in loads]
            try:
                until(lambda: _seen(musicshare), 60, "Prometheus has rates of all of them", every=1)
                yield musicshare
            finally:
                for load in loads:
                    load.stop()
            assert all(run.result() for run in runs)
    finally:
        assert musicshare.exec(failing, *misbehave, '{"status": null}') == (0, "")


def _asked(musicshare: MusicShare) -> PrometheusApi:
    return PrometheusApi(f"http://127.0.0.1:{musicshare.prometheus}")


def _seen(musicshare: MusicShare) -> bool:
    with _asked(musicshare) as prometheus:
        found = prometheus.traffic([*PATHS, FAILING])
    return all(traffic.rps and traffic.rps > 0.15 * RATE for traffic in found.values())


def _expressions() -> list[Any]:
    """Those of what MusicShare has; it has no autoscaler."""
    board = json.loads(DASHBOARD.read_text())
    return [
        pytest.param(target["expr"], id=f"{panel['id']} {panel['title']}")
        for panel in board["panels"]
        for target in panel.get("targets", ())
        if "msctl_autoscaler" not in target["expr"]
    ]


# Before the load begins


def test_a_prometheus_that_is_not_there_is_told(musicshare: MusicShare) -> None:
    """Exit status 1, with the address that was tried, where it is from, and what to do."""
    result = musicshare.msctl("metrics", MSCTL_PROMETHEUS="http://127.0.0.1:1")
    assert (result.status, result.out) == (1, "")
    assert "Prometheus does not answer at http://127.0.0.1:1 ($MSCTL_PROMETHEUS)" in result.err


def test_a_dashboards_address_leads_to_it(musicshare: MusicShare) -> None:
    """Each page answers where `dashboard` says that it is; grafana is told where it is left out."""
    traefik = musicshare.ok("dashboard").out.strip()
    prometheus = json.loads(musicshare.ok("dashboard", "prometheus", "--json").out)
    assert prometheus["name"] == "prometheus"
    for url, words in ((traefik, "Traefik"), (prometheus["url"], "Prometheus")):
        assert words in Visitor(url).get("", follow_redirects=True).text
    result = musicshare.msctl("dashboard", "grafana")
    assert result.status == (0 if "grafana" in musicshare.made() else 1)


# Under load


@pytest.mark.parametrize("chosen", [".+", "(userservice|formulario-post)"])
@pytest.mark.parametrize("expression", _expressions())
def test_every_expression_of_the_dashboard_returns_data(
    busy: MusicShare, expression: str, chosen: str
) -> None:
    """As Grafana asks it, with all services or some of them chosen."""
    asked = expression.replace("$__rate_interval", "40s").replace("$service", chosen)
    assert "$" not in asked.replace("$1$2", "")
    with _asked(busy) as prometheus:
        found = prometheus.instant(asked)
    assert [sample for sample in found if sample.value is not None], asked


def test_the_dashboards_variable_offers_the_services(busy: MusicShare) -> None:
    """As Grafana finds them: by the label's values and the variable's pattern."""
    [variable] = json.loads(DASHBOARD.read_text())["templating"]["list"]
    query = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"])
    assert query is not None
    prometheus = Visitor(f"http://127.0.0.1:{busy.prometheus}")
    answer = prometheus.get(f"/api/v1/label/{query[2]}/values", params={"match[]": query[1]})
    pattern = re.compile(variable["regex"].strip("/"))
    assert {
        found[1] for label in answer.json()["data"] if (found := pattern.search(label))
    } == ROUTED


def test_metrics_tell_what_the_load_is(busy: MusicShare) -> None:
    """Rates, latencies and errors of each service, and the servers that get its requests."""
    found = json.loads(busy.ok("metrics", "--json").out)
    services = {service["name"]: service for service in found["services"]}
    assert set(services) == ROUTED
    for name in PATHS:
        service = services[name]
        assert 0.1 * RATE < service["rps"] < 1.3 * RATE, service
        assert 0 < service["p50_ms"] <= service["p95_ms"] <= service["p99_ms"]
        assert (service["error_rate"], service["server_errors"]) == (0, 0)
        assert (service["servers"], service["servers_up"]) == (2, 2)
        assert service["history"]["rps"][-1] == pytest.approx(service["rps"], rel=0.5)
    assert services[FAILING]["error_rate"] == pytest.approx(1, abs=0.2)
    assert services[FAILING]["server_errors"] > RATE
    for quiet in (one for one in services.values() if not one["rps"]):
        assert quiet["p95_ms"] is quiet["error_rate"] is None, quiet
    assert found["throughput"] > sum(services[name]["rps"] for name in PATHS) * 0.5
    routers = {router["name"]: router["rps"] for router in found["routers"]}
    assert routers["userservice"] == pytest.approx(services["userservice"]["rps"], rel=0.5)


def test_metrics_are_a_table(busy: MusicShare) -> None:
    """A row for each service with a line of bars; one service alone has a row for each figure."""
    table = busy.ok("metrics").out
    [row] = [
        line for line in table.splitlines() if line.startswith("userservice") and "2/2" in line
    ]
    assert row[-1] in "▁▂▃▄▅▆▇█"
    assert f"5xx in 5 min: {FAILING}" in table
    alone = busy.ok("metrics", "userservice").out
    for figure in ("requests/s", "p50", "p95", "p99", "5xx", "servers up"):
        assert re.search(rf"^{figure} +\S", alone, re.MULTILINE), figure


def test_traffic_of_all_services_is_known_at_once(busy: MusicShare) -> None:
    """Well under a second, so that `status --load` stays quick."""
    with _asked(busy) as prometheus:
        began = time.monotonic()
        found = prometheus.traffic(sorted(ROUTED))
        took = time.monotonic() - began
    assert took < 0.5
    assert found["userservice"].servers_up == 2
    assert all(math.isfinite(t.rps) for t in found.values() if t.rps is not None)
