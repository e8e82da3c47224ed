"""The load decides how many replicas there are, on the real engine, and no request is lost."""

from __future__ import annotations

import json
import signal
import time

import pytest
from live import NewStack, Stack, free_port, prometheus, service, until
from load import Load, Requests, echo

pytestmark = [pytest.mark.engine, pytest.mark.alone]
BURN = 6
"""Milliseconds of processor time that each request costs."""


@pytest.fixture
def shop(stacks: NewStack) -> Stack:
    """Two replicas that scale by CPU and by requests/s; no Prometheus is there."""
    stack = stacks()
    web = service(
        "/",
        replicas={"initial": 2, "min": 1, "max": 5},
        resources={"cpus": 0.5, "reserve": {"cpus": 0.25}},
        autoscale={"min": 2, "max": 4, "cpu": "120%", "rps": 20, "stabilize_down": "6s"},
        env={"SERVICE_NAME": "web", "ACCESS_LOG": "off", "MISBEHAVE": f"burn={BURN}"},
    )
    stack.write({"web": web})
    stack.ok("up")
    return stack


def replicas(shop: Stack) -> int:
    return sum(row["State"] == "running" for row in shop.rows("web"))


@pytest.mark.soak
@pytest.mark.timeout(240)
def test_a_step_of_the_load_and_back(shop: Stack) -> None:
    """Up within seconds, down after the window, and not one request is lost on the way."""
    steady = Requests(f"{shop.visitor.url}/x", 10, echo("web", "/x"))
    burst = Requests(f"{shop.visitor.url}/x", 70, echo("web", "/x"))
    [before] = map(
        json.loads, shop.ok("autoscale", "--once", "--dry-run", "--json").out.split("\n")[:1]
    )
    assert (before["current"], before["wanted"], before["acted"]) == (2, 2, False)
    with Load(steady) as load:
        loop = shop.start("autoscale", "--interval", "2")
        with Load(burst) as peak:
            until(lambda: replicas(shop) == 4, 45, "there are four replicas")
            until(lambda: _routed(shop) == 4, 20, "the gateway has all of them")
        until(lambda: replicas(shop) == 2, 45, "there are two replicas again")
        until(lambda: _routed(shop) == 2, 20, "the pin is gone")
        assert loop.send(signal.SIGTERM) == 0
    assert (load.lost, peak.lost) == (0, 0), f"{load}; {peak}"
    assert peak.sent > 100
    [note] = loop.lines
    assert "the gateway's own counters are read" in note


@pytest.mark.soak
@pytest.mark.timeout(240)
def test_from_20_to_200_requests_a_second(stacks: NewStack) -> None:
    """A service that is bound by its processor, 3 ms a request, has within 45 s what 200/s need: at
    0.15 of a processor each, four replicas. After the window there are two again."""
    shop = stacks()
    web = service(
        "/",
        replicas={"initial": 2, "min": 1, "max": 8},
        resources={"cpus": 0.6, "reserve": {"cpus": 0.15}},
        autoscale={"min": 2, "max": 6, "cpu": "100%", "stabilize_down": "15s"},
        env={"SERVICE_NAME": "web", "ACCESS_LOG": "off", "MISBEHAVE": "burn=3"},
    )
    shop.write({"web": web})
    shop.ok("up")
    url = f"{shop.visitor.url}/x"
    steady, more = (Requests(url, rate, echo("web", "/x")) for rate in (20, 180))
    with Load(steady) as load:
        loop = shop.start("autoscale", "--interval", "5")
        time.sleep(12)
        assert replicas(shop) == 2
        with Load(more) as peak:
            until(lambda: _routed(shop) >= 4, 45, "what 200/s need is there")
            time.sleep(20)
            most = replicas(shop)
        until(lambda: replicas(shop) == 2, 90, "there are two replicas again")
        until(lambda: _routed(shop) == 2, 20, "the pin is gone")
        assert loop.send(signal.SIGTERM) == 0
    assert (load.lost, peak.lost) == (0, 0), f"{load}; {peak}"
    assert 4 <= most <= 6
    assert more.held > 0.97, more


@pytest.mark.soak
@pytest.mark.timeout(240)
def test_prometheus_may_go_and_come_back(stacks: NewStack, prometheus_image: None) -> None:  # noqa: ARG001
    """Without it the gateway's own counters are read, which is said: the replicas stay what the
    load asks for, and when it is back, it is asked again."""
    shop, port = stacks(), free_port()
    web = service(
        "/",
        replicas={"initial": 2, "min": 1, "max": 5},
        autoscale={"min": 2, "max": 4, "rps": 20, "stabilize_down": "3s"},
        env={"SERVICE_NAME": "web", "ACCESS_LOG": "off"},
    )
    metrics = {"prometheus": f"http://127.0.0.1:{port}"}
    shop.write({"web": web, "prometheus": prometheus(shop, port)}, metrics=metrics)
    shop.ok("up")
    load = Requests(f"{shop.visitor.url}/x", 70, echo("web", "/x"))
    with Load(load):
        once = "autoscale", "--once", "--dry-run"
        until(lambda: "note: Prom" not in shop.ok(*once).err, 120, "Prometheus knows of the load")
        loop = shop.start("autoscale", "--interval", "2")
        until(lambda: replicas(shop) == 4, 90, "there are four replicas")
        assert loop.lines == []
        (name,) = shop.ids("prometheus")
        said = len(loop.lines)
        shop.engine.api.stop(name)
        without = "it says that Prometheus is away"
        until(lambda: any("Prometheus" in line for line in loop.lines[said:]), 120, without)
        time.sleep(15)
        assert replicas(shop) == 4
        said = len(loop.lines)
        shop.engine.api.start(name)
        until(lambda: len(loop.lines) > said, 120, "it says that Prometheus is back")
        assert replicas(shop) == 4
    until(lambda: replicas(shop) == 2, 120, "there are two replicas again")
    until(lambda: _routed(shop) == 2, 20, "the pin is gone")
    assert loop.send(signal.SIGTERM) == 0
    assert load.result.lost.total() == 0, load


def _routed(shop: Stack) -> int:
    """Servers that the gateway has by the labels of the replicas."""
    status = json.loads(shop.msctl("status", "--json").out)
    [web] = [found for found in status["services"] if found["name"] == "web"]
    return int(web["routed"] or 0) if not status["pins"] else 0
