"""`msctl status --load` and `--watch` at a terminal."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import httpx
import pytest
from memory import MemoryEngine, lines
from memory.engine import EPOCH
from terminal import SHOP, Terminal, nobody

from msctl.state import Certificate, Usage

END = EPOCH + timedelta(hours=1)
FIGURES = {"rps": "12.5", "p50_ms": "4", "p95_ms": "620", "error_rate": "0.0625"}


def numbers_of_web(_: httpx.Request) -> httpx.Response:
    """A Prometheus that knows of web alone."""
    result = [
        {"metric": {"name": "web", "figure": figure}, "value": [END.timestamp(), value]}
        for figure, value in FIGURES.items()
    ]
    data = {"resultType": "vector", "result": result}
    return httpx.Response(200, json={"status": "success", "data": data})


def served(shop: Terminal, replica: str, milliseconds: float, times: int) -> None:
    """The gateway has logged answers of a replica."""
    address = shop.world.containers[replica].networks["shop_gateway"]
    entry = {"ServiceAddr": f"{address}:8000", "Duration": milliseconds * 1e6}
    line = json.dumps({**entry, "DownstreamStatus": 200})
    shop.world.containers["shop_traefik"].log += [(3590.0, line)] * times


@pytest.fixture
def busy(shop: Terminal) -> Terminal:
    """The shop with a load, and everything that tells about it."""
    shop.prometheus = numbers_of_web
    shop.world.usages = {
        "shop-web-1": Usage(2.0, 2**26),
        "shop-api-1": Usage(0.8, 2**27),
    }
    served(shop, "shop-api-1", 40, 20)
    served(shop, "shop-api-2", 900, 20)
    for container in shop.world.containers.values():
        container.started = 0.0
    return shop


def test_the_load_is_shown_beside_the_health(busy: Terminal) -> None:
    """CPU and memory of replicas, traffic of services; what is not known is a dash."""
    answer = busy.msctl("status", "--load")
    assert answer.status == 0
    assert answer.out.strip() == lines(
        """
        shop is healthy  gateway up  https://localhost
        dashboard http://127.0.0.1:8080/dashboard/  prometheus http://127.0.0.1:9090

        SERVICE  ENGINE   HEALTH   GATEWAY  UP  CPU  MEM   REQ/S  P95    ERRORS
        web      running  healthy  UP       1h  25%  64M   12.5   620ms  6.2%
        api      2/2      2/2      2/2                     -      -      -
          api-1  running  healthy  UP       1h  10%  128M         40ms
          api-2  running  healthy  UP       1h  -    -            900ms
        db       running  -        -        1h  -    -     -      -      -

        warning: shop-api-2 answers slowly: half of its answers take 900 ms and more, those of the others 40 ms
                 msctl logs api
        """  # noqa: E501
    )


def test_the_load_is_in_the_record(busy: Terminal) -> None:
    """Without --load all of it is null."""
    keys = ("rps", "p50_ms", "p95_ms", "error_rate")
    web = busy.msctl("status", "--json").json["services"][0]
    assert [web[key] for key in keys] == [None] * 4
    assert web["replicas"][0]["cpu_percent"] is None
    status = busy.msctl("status", "--load", "--json").json
    assert status["prometheus"] == {"url": "http://127.0.0.1:9090", "reachable": True}
    web, api = status["services"][:2]
    assert [web[key] for key in keys] == [12.5, 4.0, 620.0, 0.0625]
    assert (web["replicas"][0]["cpu_percent"], web["replicas"][0]["memory_bytes"]) == (25.0, 2**26)
    assert [api[key] for key in keys] == [None] * 4
    assert [replica["p95_ms"] for replica in api["replicas"]] == [40.0, 900.0]
    assert [(p["kind"], p["replica"]) for p in status["problems"]] == [("slow", "shop-api-2")]


def test_what_does_not_answer_is_unknown_and_the_rest_is_shown(busy: Terminal) -> None:
    """Prometheus away, the gateway's API away: each costs its own figures only."""
    busy.prometheus = nobody
    busy.world.gateway_answers = False
    status = busy.msctl("status", "--load", "--json").json
    assert status["prometheus"]["reachable"] is False
    web = status["services"][0]
    assert (web["routed"], web["rps"]) == (None, None)
    assert web["replicas"][0]["cpu_percent"] == 25.0


def test_a_prometheus_of_the_stack_that_is_away_is_a_problem(terminal: Terminal) -> None:
    """Also where nobody asks for the load."""
    terminal.write(SHOP + "  prometheus: {image: 'prom:1', stateful: true}\n")
    for image in ("web:1", "api:1", "db:1", "prom:1", "traefik:v3.7"):
        terminal.world.have(image)
    assert terminal.msctl("up").status == 0
    status = terminal.msctl("status", "--json").json
    assert [(p["severity"], p["kind"]) for p in status["problems"]] == [("warning", "prometheus")]
    assert status["healthy"]
    assert terminal.msctl("down").status == 0
    away = terminal.msctl("status", "--json").json
    assert "prometheus" not in {p["kind"] for p in away["problems"]}  # it is missing, that is all


def test_a_certificate_of_others_is_not_told(terminal: Terminal) -> None:
    """Whoever has the port where the gateway is not there."""
    terminal.certificate = Certificate(END + timedelta(days=90))
    answer = terminal.msctl("status")
    assert "certificate" not in answer.out
    assert answer.status == 1
    assert answer.out.startswith("shop is not up ")
    assert terminal.msctl("status", "web").out.startswith("shop is degraded ")


def test_a_certificate_is_told(shop: Terminal) -> None:
    """When it ends; that it has ended makes the stack degraded."""
    shop.certificate = Certificate(END + timedelta(days=90))
    assert "certificate until 2030-04-01" in shop.msctl("status").out
    shop.certificate = Certificate(None, expired=True)
    answer = shop.msctl("status")
    assert answer.status == 1
    assert "error: the gateway's certificate has expired" in answer.out


def test_watching_is_a_look_a_second_with_the_load(busy: Terminal) -> None:
    """What a look takes is part of the second."""
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            raise KeyboardInterrupt

    busy.sleep = sleep
    answer = busy.msctl("status", "--watch", "--json")
    assert answer.status == 130
    records: list[Any] = [json.loads(line) for line in answer.out.splitlines()]
    assert [record["services"][0]["rps"] for record in records] == [12.5, 12.5]
    assert pauses == [1.0, 1.0]


def test_watching_goes_on_without_the_engine(busy: Terminal) -> None:
    """The last look stays, with its time and what is wrong, until there is another; of those that
    nobody answers there is no record. In a file, each view is below the one before."""
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        busy.world.reachable = len(pauses) not in (1, 2)
        if len(pauses) == last:
            raise KeyboardInterrupt

    busy.sleep, last = sleep, 3
    answer = busy.msctl("status", "--watch")
    assert (answer.status, answer.err) == (130, "")
    assert "as of 01:00:00: no Docker engine answers at memory://world" in answer.out
    assert "shop is healthy" in answer.out
    pauses.clear()
    last = 4
    views = busy.msctl("status", "--watch").out.split("shop is healthy")
    stale = [text.splitlines()[-1].startswith("as of") for text in views[1:-1]]
    assert (len(views), stale) == (5, [True, True, False])
    pauses.clear()
    assert len(busy.msctl("status", "--watch", "--json").out.splitlines()) == 2


def test_watching_needs_an_engine_to_begin(busy: Terminal) -> None:
    """As any other command."""
    busy.world.reachable = False
    assert busy.msctl("status", "--watch").status == 3


def test_a_look_that_takes_long_keeps_nobody_waiting(
    busy: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That an engine is silent is told while it is; there is one look at a time."""
    monkeypatch.setattr("msctl.cli.commands.status._PATIENCE", 0.05)
    answers = threading.Event()
    looks: list[int] = []
    pauses: list[float] = []
    observe = MemoryEngine.observe

    def slow(engine: MemoryEngine, *, detail: bool = False) -> Any:
        looks.append(1)
        assert len(looks) != 2 or answers.wait(60)
        return observe(engine, detail=detail)

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(MemoryEngine, "observe", slow)
    busy.sleep = sleep
    answer = busy.msctl("status", "--watch")
    answers.set()
    assert (answer.status, len(looks)) == (130, 2)
    assert "as of 01:00:00: the engine has not answered since" in answer.out
