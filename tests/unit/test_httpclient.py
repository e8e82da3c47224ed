"""Names that are looked up on the way to an API."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import pytest

from msctl import gateway
from msctl.gateway import GatewayApi, GatewaySilent
from msctl.monitoring import prometheus as prometheus_api
from msctl.monitoring.prometheus import PrometheusApi, PrometheusSilent


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A resolver that does not answer as long as the test goes on."""
    over = threading.Event()

    def getaddrinfo(*_: object, **__: object) -> None:
        over.wait(60)
        raise socket.gaierror("no answer")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    for api in (gateway, prometheus_api):
        monkeypatch.setattr(api, "TIMEOUT", 0.2)
    yield
    over.set()


def test_a_resolver_that_does_not_answer_holds_nobody_up(silent: None) -> None:  # noqa: ARG001
    """The name counts into the time that the API has, and is told."""
    began = time.monotonic()
    with (
        PrometheusApi("http://gone.example:9090") as prometheus,
        pytest.raises(PrometheusSilent, match=r"no whole answer within 0\.2 s"),
    ):
        prometheus.instant("up")
    assert not GatewayApi("http://gone.example:8080").view().answered
    assert time.monotonic() - began < 10


def test_a_name_that_is_not_there_is_told_by_the_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In the system's words."""

    def getaddrinfo(*_: object, **__: object) -> None:
        raise socket.gaierror("Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with GatewayApi("http://gone.example") as api, pytest.raises(GatewaySilent, match="not known"):
        api.metrics()
