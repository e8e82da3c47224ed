"""What is not as it should be is named while requests come in: five replicas on the real engine."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from live import NewStack, Stack, service, until
from load import Load, Requests, echo

pytestmark = pytest.mark.engine
SOON = 3.0
"""Seconds within which a disagreement is named."""


@pytest.fixture(scope="module")
def shop(module_stacks: NewStack) -> Stack:
    """Five replicas, each within half a processor and 128 MB."""
    stack = module_stacks()
    web = service(
        "/",
        replicas=5,
        restart="no",
        env={"SERVICE_NAME": "web", "ACCESS_LOG": "off"},
        resources={"cpus": 0.5, "memory": "128M"},
    )
    stack.write({"web": web})
    stack.ok("up")
    return stack


@pytest.fixture(autouse=True)
def whole_again(shop: Stack) -> Any:
    """Every test finds five good replicas."""
    yield
    for name in list(shop.ids("web")):
        misbehave(shop, name, health="ok", latency_ms=0)
    shop.ok("up")


def misbehave(shop: Stack, name: str, **faults: Any) -> None:
    """Tell one running replica to."""
    record = shop.inspect(name)
    if record["State"]["Running"]:
        [network, *_] = record["NetworkSettings"]["Networks"].values()
        url = f"http://{network['IPAddress']}:8000/_misbehave"
        httpx.post(url, json=faults, trust_env=False).raise_for_status()


def named(shop: Stack, replica: str, *words: str) -> list[str]:
    """The kinds of the problems of a replica."""
    status = json.loads(shop.msctl("status", "--json", *words).out)
    return [problem["kind"] for problem in status["problems"] if problem["replica"] == replica]


@pytest.mark.alone
def test_a_killed_replica_is_named(shop: Stack) -> None:
    """Its end is told, and that the service has too few."""
    victim = f"{shop.project}-web-2"
    shop.engine.api.kill(victim)
    assert until(lambda: named(shop, victim), SOON, "it is named") == ["exited"]


@pytest.mark.alone
def test_an_unhealthy_replica_is_named(shop: Stack) -> None:
    """First by the gateway's check, then by the engine's."""
    victim = f"{shop.project}-web-3"
    misbehave(shop, victim, health="fail")
    first = until(lambda: named(shop, victim), SOON, "it is named")
    assert set(first) <= {"not_routed", "unhealthy"}
    until(lambda: "unhealthy" in named(shop, victim), 10, "the engine calls it unhealthy")


@pytest.mark.alone
def test_a_slow_replica_is_named(shop: Stack) -> None:
    """Though its health check passes: its answers take longer than those of the others."""
    victim = f"{shop.project}-web-4"
    misbehave(shop, victim, latency_ms=600)
    with Load(Requests(f"{shop.visitor.url}/x", 100, echo("web", "/x"))):
        until(lambda: named(shop, victim, "--load") == ["slow"], SOON, "it is named")


def test_the_load_is_what_the_engine_says(shop: Stack) -> None:
    """CPU and memory of every replica, and none of them is made up."""

    def loaded() -> Any:
        """A busy machine may give one of them nothing for as long as it is measured."""
        [web] = json.loads(shop.ok("status", "--load", "--json").out)["services"]
        return web if all(replica["cpu_percent"] for replica in web["replicas"]) else None

    with Load(Requests(f"{shop.visitor.url}/x", 200, echo("web", "/x"))):
        web = until(loaded, 30, "every replica takes some of the machine")
    assert web["rps"] is None  # no Prometheus is there
    for replica in web["replicas"]:
        assert 0 < replica["cpu_percent"] <= 110
        assert 2**20 < replica["memory_bytes"] < replica["memory_limit_bytes"] == 2**27
        assert replica["p95_ms"] >= 50
    idle = json.loads(shop.ok("status", "--json").out)["services"][0]["replicas"][0]
    assert (idle["cpu_percent"], idle["memory_bytes"], idle["p95_ms"]) == (None, None, None)


def watched(stack: Stack, replicas: int) -> None:
    """Follow `status --watch` on a terminal that is made smaller, and then closed by Ctrl-C."""
    with stack.screen("status", "--watch", columns=80, lines=replicas + 20) as screen:

        def rows() -> list[str]:
            return [line for line in screen.lines if line.lstrip().startswith("web-")]

        until(lambda: len(rows()) == replicas, 30, "every replica has its line")
        assert all({"running", "UP"} <= set(row.split()) for row in rows()), rows()
        assert "\x1b[?1049h" in screen.written.decode()  # a screen of its own
        looks = screen.written.count(b"web ")
        until(lambda: screen.written.count(b"web ") > looks + 1, 30, "it looks again")
        screen.resize(60, 9)
        until(lambda: any(line.startswith("web ") for line in screen.lines), 30, "it is drawn anew")
        looks = screen.written.count(b"web ")
        until(lambda: screen.written.count(b"web ") > looks, 30, "it looks again")
        [row] = [line.split() for line in screen.lines if line.startswith("web ")]
        assert row[1:4] == [f"{replicas}/{replicas}"] * 3  # what does not fit is left out
        assert screen.interrupt() == 130
        until(lambda: b"\x1b[?1049l" in screen.written, 10, "the screen before is back")
        assert screen.cursor_shown
        assert screen.now() == screen.settings


def test_watching_fits_the_terminal_and_gives_it_back(shop: Stack) -> None:
    """At 80 columns each replica has a line; a smaller terminal is filled anew; Ctrl-C leaves the
    terminal as it was."""
    watched(shop, 5)


@pytest.mark.soak
def test_fifty_replicas_are_watched_at_80_columns(stacks: NewStack) -> None:
    """The same with fifty."""
    stack = stacks()
    env = {"SERVICE_NAME": "web", "ACCESS_LOG": "off"}
    health = {"path": "/health", "interval": "30s", "command": "none"}
    replicas = {"initial": 50, "max": 50}
    stack.write({"web": service("/", replicas=replicas, health=health, env=env)})
    stack.ok("up")
    watched(stack, 50)
