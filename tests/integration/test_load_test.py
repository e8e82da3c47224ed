"""`msctl load-test` on a stack with TLS: what it counts is what the replicas themselves counted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import Any

import httpx
import pytest
from live import MSCTL, NewStack, Stack, free_port, service, until

pytestmark = pytest.mark.engine

RATE, SECONDS = 300, 20 if os.environ.get("MSCTL_TEST_SOAK") else 5
QUIET = {"ACCESS_LOG": "off"}


@pytest.fixture(scope="module")
def shop(module_stacks: NewStack) -> Stack:
    """Five replicas of web, two of an image that tells nothing of itself, a host, a database."""
    stack = module_stacks()
    web = service(
        replicas={"initial": 5, "max": 5},
        routes=[{"path": "/api/web", "strip": True}],
        sticky="web_session",
        env=QUIET,
        rollout={"surge": 5},
    )
    plain = service(
        "/files",
        replicas=2,
        entrypoint=["python3", "-m", "http.server", "8000"],
        routes=[{"path": "/files", "strip": True}],
        health={"path": "/", "interval": "1s"},
    )
    named = service(routes=[{"path": "/", "host": "shop.test"}], env=QUIET)
    stack.write(
        {"web": web, "plain": plain, "named": named, "db": service()},
        gateway={"https": f"127.0.0.1:{free_port()}", "tls": {"mode": "self-signed"}},
    )
    stack.ok("up")
    return stack


def counted(shop: Stack, name: str = "web") -> dict[str, int]:
    """How many requests each replica says that it had."""
    found = {}
    for container in shop.ids(name):
        [network, *_] = shop.inspect(container)["NetworkSettings"]["Networks"].values()
        answer = httpx.get(f"http://{network['IPAddress']}:8000/health", trust_env=False)
        found[container] = int(answer.json()["requests"])
    return found


def counts(found: dict[str, Any]) -> dict[str, int]:
    return {replica["name"]: replica["requests"] for replica in found["replicas"]}


def load_test(shop: Stack, *words: str) -> dict[str, Any]:
    """The figures of a load test without a failure."""
    found: dict[str, Any] = json.loads(shop.ok("load-test", *words, "--json").out)
    assert found["failed"] == 0
    return found


def test_500_requests_are_those_that_the_replicas_counted(shop: Stack) -> None:
    """Counts per replica add up to 500, and each is what the replica itself counted."""
    before = counted(shop)
    found = load_test(shop, "web", "--requests", "500")
    grown = {name: count - before[name] for name, count in counted(shop).items()}
    assert counts(found) == grown
    assert sum(grown.values()) == 500
    assert len(grown) == 5
    assert found["statuses"] == {"200": 500}
    assert 1 <= found["evenness"] < 1.1


@pytest.mark.soak
@pytest.mark.alone
def test_a_rate_is_held_within_a_percent(shop: Stack) -> None:
    """300 requests/s on this machine, beside the stack; where others load it, in one of three."""
    tries = (
        load_test(shop, "web", "--rate", str(RATE), "--duration", str(SECONDS)) for _ in range(3)
    )
    found = next(one for one in tries if one["rate"] == pytest.approx(RATE, rel=0.01))
    assert found["requests"] == RATE * SECONDS
    assert sum(counts(found).values()) == RATE * SECONDS


def test_sticky_clients_stay(shop: Stack) -> None:
    """Each of 20 clients is answered by one replica, through the gateway's cookie."""
    found = load_test(
        shop, "web", "--sticky", "--clients", "20", "--requests", "200", "--concurrency", "5"
    )
    assert found["sticky"] == {"clients": 20, "moved": 0}
    assert sum(counts(found).values()) == 200


def test_requests_under_a_pin_count(shop: Stack) -> None:
    """A drain in the middle, and replicas that come: every request has its replica's name."""
    start = sum(counted(shop).values())
    command = [MSCTL, "load-test", "web", "--rate", "60", "--duration", "150", "--json"]
    running = subprocess.Popen(
        command, cwd=shop.folder, env=shop.env, stdout=subprocess.PIPE, text=True
    )
    try:
        until(lambda: sum(counted(shop).values()) > start + 30, 30, "requests arrive")
        shop.ok("scale", "web", "2")
        shop.ok("scale", "web", "5")
        running.send_signal(signal.SIGINT)
        out, _ = running.communicate(timeout=30)
    finally:
        running.kill()
    found = json.loads(out)
    assert (running.returncode, found["failed"]) == (130, 0)
    assert found["requests"] > 60
    assert sum(counts(found).values()) == found["requests"]
    assert set(counts(found)) == {f"{shop.project}-web-{n}" for n in range(1, 6)}
    log = shop.engine.api.logs(f"{shop.project}_traefik").decode()
    assert '"ServiceName":"web-a@file"' in log
    assert '"ServiceName":"web@docker"' in log


def test_an_image_that_tells_nothing_is_counted_too(shop: Stack) -> None:
    """The figures need no header of the application's."""
    found = load_test(shop, "plain", "--requests", "40")
    assert counts(found) == {f"{shop.project}-plain-1": 20, f"{shop.project}-plain-2": 20}


def test_a_route_with_a_host_is_asked_by_its_name(shop: Stack) -> None:
    """In the Host header and in TLS; without it, the gateway would answer 404."""
    found = load_test(shop, "named", "--requests", "5", "--path", "/deep/er?x=1")
    assert counts(found) == {f"{shop.project}-named-1": 5}


def test_failures_end_it_with_status_1(shop: Stack) -> None:
    """A timeout still counts for the replica that it went to."""
    result = shop.msctl(
        "load-test", "web", "--path", "?delay_ms=5000", "--timeout", "1", "--requests", "5",
        "--concurrency", "5", "--json",
    )  # fmt: skip
    assert result.status == 1, result
    found = json.loads(result.out)
    assert (found["statuses"], found["failed"]) == ({"timeout": 5}, 5)
    assert sum(counts(found).values()) == 5


def test_ctrl_c_gives_the_summary_so_far(shop: Stack) -> None:
    """Exit status 130, and the page of what had ended is written."""
    running = shop.start(
        "load-test", "web", "--rate", "40", "--duration", "60", "--report", "p.html"
    )
    start = sum(counted(shop).values())
    until(lambda: sum(counted(shop).values()) > start + 20, 30, "requests arrive")
    assert running.send(signal.SIGINT) == 130
    assert any("these are the figures of the requests that had ended" in x for x in running.lines)
    assert "Share per replica" in (shop.folder / "p.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "says"),
    [("db", "db is internal: it has no routes"), ("wep", "did you mean 'web'?")],
)
def test_what_has_no_routes_is_refused(shop: Stack, name: str, says: str) -> None:
    """Exit status 2, with what can be tested."""
    result = shop.msctl("load-test", name)
    assert result.status == 2, result
    assert says in result.err


def test_without_the_gateway_it_says_so(shop: Stack) -> None:
    """Exit status 1, and what to type next."""
    shop.engine.api.stop(f"{shop.project}_traefik", timeout=1)
    result = shop.msctl("load-test", "web")
    assert result.status == 1, result
    assert f"the gateway of {shop.project} is not running" in result.err
    assert "hint: msctl up" in result.err
