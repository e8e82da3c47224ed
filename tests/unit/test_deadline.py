"""What takes too long as a whole is given up, however steadily it comes."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
from answering import Answering

from msctl import gateway
from msctl.deadline import told_when_late, within
from msctl.gateway import GatewayApi, GatewaySilent
from msctl.monitoring import prometheus
from msctl.monitoring.prometheus import PrometheusApi, PrometheusSilent

PATIENCE = 0.3


def test_what_comes_in_time_is_returned_or_raised() -> None:
    """As if it had been called."""
    assert within(5, lambda: "found") == "found"
    with pytest.raises(KeyError, match="nothing"):
        within(5, lambda: {}["nothing"])


def test_what_is_late_is_told_once_and_goes_on() -> None:
    """What is in time is not, nor what fails in time."""
    told: list[str] = []
    late = threading.Event()
    with told_when_late(0.01, lambda: (told.append("late"), late.set())[0]):
        assert late.wait(20)
    with suppress(KeyError), told_when_late(0.2, lambda: told.append("never")):
        raise KeyError
    time.sleep(0.25)
    assert told == ["late"]


def test_what_comes_too_late_is_given_up() -> None:
    """And keeps nobody waiting, nor the process from ending."""
    ended, began = threading.Event(), time.monotonic()
    with pytest.raises(TimeoutError, match=r"no whole answer within 0\.05 s"):
        within(0.05, lambda: ended.wait(20))
    assert time.monotonic() - began < 5
    [worker] = [one for one in threading.enumerate() if one.name == "msctl-within"]
    assert worker.daemon
    ended.set()
    worker.join(5)


@pytest.fixture(params=["its head", "its body"])
def trickler(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server that sends a byte of its answer now and then, each in time."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
    text = (head[:17] + b"X: " if request.param == "its head" else head) + b" " * 10_000
    ended, listener = threading.Event(), socket.create_server(("127.0.0.1", 0))

    def serve(near: socket.socket) -> None:
        with near, suppress(OSError):
            near.recv(65536)
            for byte in text:
                near.sendall(bytes([byte]))
                if byte == 32 and ended.wait(PATIENCE / 3):
                    return

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    ended.set()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def test_a_trickling_gateway_or_prometheus_is_silent(
    trickler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answer has the time of one read, as a whole."""
    monkeypatch.setattr(gateway, "TIMEOUT", PATIENCE)
    monkeypatch.setattr(prometheus, "TIMEOUT", PATIENCE)
    began = time.monotonic()
    with GatewayApi(trickler) as api:
        assert api.view().error == "no whole answer within 0.3 s"
    with PrometheusApi(trickler) as asked, pytest.raises(PrometheusSilent, match="no whole answer"):
        asked.instant("up")
    with pytest.raises(GatewaySilent, match="no whole answer"):
        gateway.status_of(trickler, PATIENCE)
    assert time.monotonic() - began < 10


STRANGE: list[Any] = [
    [], "text", 7, None, {}, {"name": 1}, [[]], [None], ["loadBalancer"], [{"loadBalancer": 1}],
    [{"name": "a", "loadBalancer": 1, "serverStatus": [1]}], [{"name": "a", "priority": "x"}],
]  # fmt: skip


@pytest.mark.parametrize("answer", STRANGE, ids=repr)
def test_what_is_no_gateway_is_told(answer: Any) -> None:
    """Something else answers at its address: the view says so, or has nothing in it."""
    ask = Answering(lambda _: httpx.Response(200, json=answer))
    with GatewayApi("http://127.0.0.1:1", ask=ask) as api:
        view = api.view()
    assert view.error == "the answer is not that of Traefik's API" or not view.servers


def test_pages_without_an_end_are_given_up() -> None:
    """A gateway that always names another page."""

    def more(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params.get("page", 1))
        return httpx.Response(200, json=[], headers={"X-Next-Page": str(page + 1)})

    with GatewayApi("http://127.0.0.1:1", ask=Answering(more)) as api:
        assert api.servers() == {}
