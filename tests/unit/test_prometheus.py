"""Questions to Prometheus, and every way in which it may fail to answer."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from answering import Answering, Handler

from msctl.monitoring.prometheus import PrometheusApi, PrometheusSilent
from msctl.monitoring.queries import Sample, Series, traffic_query
from msctl.state import Traffic


def api(handler: Handler, url: str = "http://prometheus:9090") -> PrometheusApi:
    return PrometheusApi(url, ask=Answering(handler))


def vector(*found: tuple[dict[str, str], str]) -> dict[str, Any]:
    result = [{"metric": labels, "value": [1795571025.374, value]} for labels, value in found]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


def test_an_instant_query_gives_samples() -> None:
    """Labels and value of each series; NaN is no value."""

    def handler(request: httpx.Request) -> httpx.Response:
        assert (request.method, request.url.path) == ("POST", "/api/v1/query")
        assert parse_qs(request.content.decode())["query"] == ['up{job="a b"}']
        return httpx.Response(200, json=vector(({"job": "a"}, "1"), ({"job": "b"}, "NaN")))

    with api(handler) as prometheus:
        assert prometheus.instant('up{job="a b"}') == (
            Sample({"job": "a"}, 1.0),
            Sample({"job": "b"}, None),
        )


def test_a_range_query_gives_series() -> None:
    """By time; what is not known at a time is not there."""

    def handler(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/api/v1/query_range"
        form = {key: value for key, [value] in parse_qs(request.content.decode()).items()}
        assert form == {
            "query": "up",
            "start": "0.000",
            "end": "120.500",
            "step": "60",
            "timeout": "2s",
        }
        values = [[0, "1"], [60.0, "NaN"], [120, "0.25"]]
        result = [{"metric": {"job": "a"}, "values": values}]
        return httpx.Response(
            200, json={"status": "success", "data": {"resultType": "matrix", "result": result}}
        )

    with api(handler) as prometheus:
        found = prometheus.range("up", 0, 120.5, 60)
    assert found == (Series({"job": "a"}, {0.0: 1.0, 120.0: 0.25}),)


def test_a_path_before_the_api_is_kept() -> None:
    """As behind a proxy that serves Prometheus under a prefix."""
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, json=vector())

    with api(handler, "https://monitoring/prometheus/") as prometheus:
        prometheus.instant("up")
    assert asked == ["https://monitoring/prometheus/api/v1/query"]


def test_traffic_of_all_services_is_one_question() -> None:
    """However many there are; who has no series is unknown."""
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.extend(parse_qs(request.content.decode())["query"])
        return httpx.Response(200, json=vector(({"name": "web", "figure": "rps"}, "2.5")))

    with api(handler) as prometheus:
        found = prometheus.traffic(["web", "api"])
    assert found == {"web": Traffic(rps=2.5), "api": Traffic()}
    assert asked == [traffic_query(["web", "api"])]


def test_traffic_of_nobody_asks_nothing() -> None:
    """A stack without routes has no numbers."""

    def handler(_: httpx.Request) -> httpx.Response:
        raise AssertionError("it was asked")

    with api(handler) as prometheus:
        assert prometheus.traffic([]) == {}


def refuse(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("Connection refused")


def hang(_: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("")


def answer(status: int, content: Any) -> Handler:
    text = content if isinstance(content, str) else json.dumps(content)
    return lambda _: httpx.Response(status, text=text)


SILENT = [
    pytest.param(refuse, "Connection refused", id="nobody listens"),
    pytest.param(hang, "ReadTimeout", id="no answer in time"),
    pytest.param(
        answer(400, {"status": "error", "errorType": "bad_data", "error": "parse error"}),
        "parse error",
        id="a wrong expression",
    ),
    pytest.param(answer(502, "Bad Gateway"), "not that of Prometheus", id="another server"),
    pytest.param(answer(200, "<html>"), "not that of Prometheus", id="a page"),
    pytest.param(answer(200, []), "not that of Prometheus", id="a list"),
    pytest.param(answer(200, {"status": "success"}), "not that of Prometheus", id="no data"),
    pytest.param(
        answer(200, {"status": "success", "data": {"resultType": "scalar", "result": [0, "1"]}}),
        "scalar in place of a vector",
        id="another kind of value",
    ),
    pytest.param(
        answer(
            200,
            {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}}]}},
        ),
        "not that of Prometheus",
        id="a sample without a value",
    ),
    pytest.param(
        answer(200, vector(({}, "many"))), "not that of Prometheus", id="a value that is none"
    ),
]


@pytest.mark.parametrize(("handler", "words"), SILENT)
def test_whatever_is_no_answer_is_said_to_be_none(handler: Handler, words: str) -> None:
    """With the reason in it, so that the operator knows what is wrong."""
    with api(handler) as prometheus, pytest.raises(PrometheusSilent, match=words):
        prometheus.instant("up")
