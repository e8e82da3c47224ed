"""msctl and others die in the middle of a change under load; nothing is lost."""

from __future__ import annotations

import json
import random
import time

import pytest
from live import Stack, until

from traffic import load, nothing_lost, write

pytestmark = pytest.mark.engine
KILLS = 20


def pins(shop: Stack) -> list[str]:
    """What the gateway has of the file provider."""
    found = shop.gateway_api.get("/api/http/services").json()
    return [entry["name"] for entry in found if entry["name"].endswith("@file")]


@pytest.mark.timeout(600)
def test_killed_at_any_moment_the_next_up_converges_and_nothing_is_lost(shop: Stack) -> None:
    """After SIGKILL at a random moment of a rollout or scale-down, one `up` leaves the right
    replicas, no pin and no stray container, and every request of the whole time was answered."""
    chance = random.Random(20251117)
    with load(shop, rate=30) as traffic:
        for number in range(KILLS):
            write(shop, drain="300ms", env={"ROUND": str(number)})
            words = ("scale", "shop", "1") if number % 3 == 2 else ("up",)
            running = shop.start(*words)
            time.sleep(chance.uniform(0.5, 4.0))
            if running.process.poll() is None:
                running.kill()
            shop.ok("up", "--reset-scale")
            assert pins(shop) == []
            assert len(shop.ids("shop")) == 2
            assert len(shop.ids()) == 4, shop.ids()
    nothing_lost(shop, traffic)


def test_a_pin_that_a_killed_msctl_left_is_told_and_mended(shop: Stack) -> None:
    """`status` names it, and the next `up` takes it away."""
    write(shop)
    shop.ok("up")
    shop.ok("scale", "shop", "3")
    write(shop, drain="30s")
    scaling = shop.start("scale", "shop", "2")
    scaling.says("await pin of shop")
    scaling.kill()
    status = json.loads(shop.msctl("status", "--json").out)
    assert [pin["service"] for pin in status["pins"]] == ["shop"]
    assert len(status["pins"][0]["servers"]) == 2
    write(shop)
    shop.ok("up", "--reset-scale")
    assert pins(shop) == []
    assert len(shop.ids("shop")) == 2


@pytest.mark.alone
def test_replicas_killed_under_load_lose_only_what_was_inside_them(shop: Stack) -> None:
    """`kill -9` of 2 of 5 replicas costs no more requests than were in them at that moment."""
    shop.ok("scale", "shop", "5")
    victims = sorted(shop.ids("shop"))[:2]
    with load(shop) as traffic:
        time.sleep(2)
        for name in victims:
            shop.engine.api.kill(name)
        time.sleep(4)
    # 300/s of 50 ms and 50/s of 1 s are 65 requests inside 5 replicas: 26 inside 2.
    assert traffic.lost <= 40, traffic
    shop.ok("up", "--reset-scale")


def test_an_applications_own_errors_take_no_replica_out(shop: Stack) -> None:
    """A URL that answers 500 is passed on as it is, and the service stays whole."""
    write(shop, env={"MISBEHAVE": "status=500"})
    shop.ok("up")
    statuses = {shop.visitor.get("/api/shop/bug").status_code for _ in range(50)}
    assert statuses == {500}
    assert shop.ok("status", "shop").status == 0
    write(shop)
    shop.ok("up")


def test_the_gateway_may_restart_in_the_middle_of_a_drain(shop: Stack) -> None:
    """Its pin is still there when it is back, and the scale-down comes to its end."""
    shop.ok("scale", "shop", "4")
    write(shop, drain="5s")
    scaling = shop.start("scale", "shop", "2")
    scaling.says("await pin of shop")
    shop.engine.api.restart(f"{shop.project}_traefik", timeout=1)
    assert scaling.ended() == 0, scaling.lines
    assert len(shop.ids("shop")) == 2
    until(lambda: pins(shop) == [], 10, "no pin is left")
    write(shop)
    shop.ok("up", "--reset-scale")
