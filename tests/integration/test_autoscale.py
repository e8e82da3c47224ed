"""The load decides how many replicas there are, on the real engine, and no request is lost."""

from __future__ import annotations

import json
import signal

import pytest
from live import NewStack, Stack, service, until
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


@pytest.mark.timeout(120)
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


def _routed(shop: Stack) -> int:
    """Servers that the gateway has by the labels of the replicas."""
    status = json.loads(shop.msctl("status", "--json").out)
    [web] = status["services"]
    return int(web["routed"] or 0) if not status["pins"] else 0
