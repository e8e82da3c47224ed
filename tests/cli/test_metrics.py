"""`msctl metrics` at a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from memory import lines
from terminal import SHOP, Terminal

END = 1893459600.0
"""The terminal's time of day, 2030-01-01 01:00 UTC."""
Found = Mapping[str, Mapping[str, str]]
"""Values by the name of a service, by figure."""

BUSY: Found = {
    "rps": {"web": "12.345", "api": "0"},
    "p50_ms": {"web": "4.2", "api": "NaN"},
    "p95_ms": {"web": "620", "api": "NaN"},
    "p99_ms": {"web": "1234", "api": "NaN"},
    "error_rate": {"web": "0.0625", "api": "NaN"},
    "servers": {"web": "1", "api": "2"},
    "servers_up": {"web": "1", "api": "1"},
    "throughput": {"": "12.5"},
    "latency_p95": {"": "0.048"},
    "server_errors": {"web@docker": "11.6", "web-a@file": "10.4"},
    "routers": {"web@docker": "9", "web-b@file": "3"},
    "scraped": {"": "1"},
}
LABELS = {"server_errors": "service", "routers": "router"}


def sample(figure: str, name: str) -> dict[str, str]:
    return {"figure": figure, **({LABELS.get(figure, "name"): name} if name else {})}


def answering(
    now: Found, history: Found | None = None
) -> Callable[[httpx.Request], httpx.Response]:
    """A Prometheus that knows this now, and this of the last two minutes."""

    def handler(request: httpx.Request) -> httpx.Response:
        form = {key: value for key, [value] in parse_qs(request.content.decode()).items()}
        if request.url.path == "/api/v1/query":
            kind, found = "vector", now
        else:
            assert (form["start"], form["end"]) == (f"{END - 840:.3f}", f"{END:.3f}")
            kind, found = "matrix", history or {}
        result = []
        for figure, values in found.items():
            for name, value in values.items():
                one: dict[str, Any] = {"metric": sample(figure, name)}
                if kind == "vector":
                    one["value"] = [END, value]
                else:
                    one["values"] = [[END - 60, "0"], [END, value]]
                result.append(one)
        data = {"resultType": kind, "result": result}
        return httpx.Response(200, json={"status": "success", "data": data})

    return handler


@pytest.fixture
def busy(terminal: Terminal) -> Terminal:
    """Prometheus knows much of web, and that nobody asks api anything."""
    terminal.prometheus = answering(BUSY, {"rps": {"web": "12.345"}, "p95_ms": {"web": "620"}})
    return terminal


def test_metrics_are_a_table_of_the_routed_services(busy: Terminal) -> None:
    """A service without traffic is told in words, and has no latency; db has no routes."""
    answer = busy.msctl("metrics")
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.strip() == lines(
        """
        shop  12.5 requests/s  p95 48ms over 5 min
        of the last minute, from Prometheus at http://127.0.0.1:9090

        SERVICE  REQ/S       P50    P95    P99   5XX   UP   LAST 15 MIN
        web      12.3        4.2ms  620ms  1.2s  6.2%  1/1               ▁█
        api      no traffic  -      -      -     -     1/2

        5xx in 5 min: web 22

        ROUTER  REQ/S  SHARE
        web     12.0   100%
        api     -      -
        """
    )


def test_metrics_as_json_have_every_field_of_the_readme(busy: Terminal) -> None:
    """In this order; what is not known is null, and no traffic is a rate of 0."""
    found = busy.msctl("metrics", "--json").json
    assert list(found) == [
        "project", "prometheus", "time", "window_seconds", "scraped", "throughput",
        "latency_p95_ms", "services", "routers",
    ]  # fmt: skip
    web, api = found.pop("services")
    assert found == {
        "project": "shop",
        "prometheus": "http://127.0.0.1:9090",
        "time": found["time"],
        "window_seconds": 60,
        "scraped": True,
        "throughput": 12.5,
        "latency_p95_ms": 48.0,
        "routers": [{"name": "web", "rps": 12.0}, {"name": "api", "rps": None}],
    }
    history = web.pop("history")
    assert web == {
        "name": "web",
        "rps": 12.345,
        "p50_ms": 4.2,
        "p95_ms": 620.0,
        "p99_ms": 1234.0,
        "error_rate": 0.0625,
        "server_errors": 22.0,
        "servers": 1,
        "servers_up": 1,
    }
    assert list(history) == ["start", "step_seconds", "rps", "p95_ms", "error_rate"]
    assert history["step_seconds"] == 60
    assert history["rps"] == [None] * 13 + [0.0, 12.345]
    assert history["error_rate"] == [None] * 15
    assert (api["rps"], api["p95_ms"], api["error_rate"]) == (0.0, None, None)
    assert api["server_errors"] == 0.0


def test_metrics_of_one_service_have_a_row_for_each_figure(busy: Terminal) -> None:
    """With the course of the last 15 minutes, and what was the highest in it."""
    answer = busy.msctl("metrics", "web")
    assert answer.status == 0
    assert answer.out.strip() == lines(
        """
        web of shop
        of the last minute, from Prometheus at http://127.0.0.1:9090

                    NOW    LAST 15 MIN      HIGHEST
        requests/s  12.3                ▁█  12.3
        p50         4.2ms
        p95         620ms               ▁█  620ms
        p99         1.2s
        5xx         6.2%                    6.2%
        servers up  1/1

        5xx in 5 min: web 22

        ROUTER  REQ/S  SHARE
        web     12.0   100%
        """
    )
    found = busy.msctl("metrics", "web", "--json").json
    assert [service["name"] for service in found["services"]] == ["web"]


def test_a_service_that_was_never_asked_is_told_from_one_that_is_not_any_more(
    terminal: Terminal,
) -> None:
    """The gateway counts from the first request on; neither has a latency."""
    terminal.prometheus = answering({"rps": {"api": "0"}, "scraped": {"": "1"}})
    answer = terminal.msctl("metrics")
    assert (answer.status, answer.err) == (0, "")
    assert "web      none seen   -    -    -    -    -" in answer.out
    assert "api      no traffic  -    -    -    -    -" in answer.out
    services = terminal.msctl("metrics", "--json").json["services"]
    assert [(one["rps"], one["p95_ms"]) for one in services] == [(None, None), (0.0, None)]


def test_what_prometheus_never_saw_is_unknown(terminal: Terminal) -> None:
    """Not 0; and where it has no numbers of a gateway at all, it says so."""
    terminal.prometheus = answering({})
    answer = terminal.msctl("metrics")
    assert answer.status == 0
    assert "web      unknown  -    -    -    -    -" in answer.out
    assert answer.err.startswith("note: Prometheus at http://127.0.0.1:9090 has no numbers of a")
    found = terminal.msctl("metrics", "--json").json
    assert (found["scraped"], found["throughput"]) == (False, None)
    assert {found["services"][0][key] for key in ("rps", "p95_ms", "servers_up")} == {None}


WITH_PROMETHEUS = SHOP + "  prometheus: {image: prom/prometheus:v3, stateful: true}\n"
SILENT = [
    pytest.param(
        SHOP,
        {},
        "http://127.0.0.1:9090 (metrics.prometheus of stack.yaml)",
        "hint: set metrics.prometheus, or $MSCTL_PROMETHEUS, to the one that scrapes traefik",
        id="default",
    ),
    pytest.param(
        SHOP.replace("services:", "metrics: {prometheus: http://monitor:1}\nservices:"),
        {},
        "http://monitor:1 (metrics.prometheus of stack.yaml)",
        "hint: set metrics.prometheus, or $MSCTL_PROMETHEUS, to the one that scrapes traefik",
        id="of the file",
    ),
    pytest.param(
        WITH_PROMETHEUS,
        {},
        "http://127.0.0.1:9090 (metrics.prometheus of stack.yaml)",
        "hint: msctl up prometheus",
        id="a service of the stack",
    ),
    pytest.param(
        WITH_PROMETHEUS,
        {"MSCTL_PROMETHEUS": "http://elsewhere:2"},
        "http://elsewhere:2 ($MSCTL_PROMETHEUS)",
        "hint: correct $MSCTL_PROMETHEUS, or unset it",
        id="of the environment",
    ),
]


@pytest.mark.parametrize(("file", "environ", "where", "hint"), SILENT)
def test_a_prometheus_that_is_not_there_is_told(
    terminal: Terminal, file: str, environ: dict[str, str], where: str, hint: str
) -> None:
    """What does not answer, where, whence the address is, and what to type next; status 1."""
    terminal.write(file)
    terminal.environ.update(environ)
    answer = terminal.msctl("metrics")
    assert (answer.status, answer.out) == (1, "")
    assert answer.lines == [
        f"error: Prometheus does not answer at {where}: Connection refused",
        hint,
    ]
    assert terminal.asked == [where.split()[0]]


REFUSED = [
    (["metrics", "wbe"], "wbe is not a service of shop; did you mean 'web'?"),
    (["metrics", "db"], "db has no routes, so that the gateway counts nothing of it"),
    (["metrics", "traefik"], "traefik is the gateway: what it counts is told by service"),
    (["dashboard", "grafana"], "shop has no service called grafana"),
    (
        ["dashboard", "kibana"],
        "Invalid value for '[traefik|grafana|prometheus]': 'kibana' is not one of",
    ),
]


@pytest.mark.parametrize(("words", "message"), REFUSED)
def test_what_cannot_be_asked_for_is_refused(
    terminal: Terminal, words: list[str], message: str
) -> None:
    """Exit status 2, and nobody is asked."""
    answer = terminal.msctl(*words)
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith(f"error: {message}")
    assert terminal.asked == []


def test_metrics_of_a_stack_without_routes_are_refused(terminal: Terminal) -> None:
    """There is no gateway that would count."""
    terminal.write("name: shop\nservices:\n  db: {image: db:1}\n")
    answer = terminal.msctl("metrics")
    assert answer.status == 2
    assert "no service of shop has routes" in answer.err
