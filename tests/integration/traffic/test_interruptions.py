"""msctl and others die in the middle of a change under load; nothing is lost."""

from __future__ import annotations

import json
import time

import pytest
from live import Stack, until

from traffic import load, pins, write

pytestmark = pytest.mark.engine


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
    for _ in range(3):
        shop.ok("scale", "shop", "5")
        victims = sorted(shop.ids("shop"))[:2]
        with load(shop, rate=100) as traffic:
            time.sleep(2)
            for name in victims:
                shop.engine.api.kill(name)
            time.sleep(4)
        # A neighbour to whom nothing happens is answered by a machine that carries the load; one
        # that is buried by somebody else tells nothing of a kill.
        (neighbour,) = (one for one in traffic.clients if "/api/shops/" in str(one))
        if not neighbour.result.lost:
            break
        shop.ok("up")
    # 100/s of 50 ms and 17/s of 1 s are 22 requests inside 5 replicas: 9 inside 2; and the sessions
    # and WebSockets that were at them.
    assert traffic.lost <= 30, str(traffic)
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


@pytest.mark.soak
def test_the_gateway_may_restart_in_the_middle_of_a_drain(shop: Stack) -> None:
    """Its pin is still there when it is back, and the scale-down comes to its end."""
    shop.ok("scale", "shop", "4")
    write(shop, drain="5s")
    scaling = shop.start("scale", "shop", "2")
    scaling.says("await pin of shop")
    shop.engine.api.restart(f"{shop.project}_traefik", timeout=1)
    assert scaling.ended() == 0, scaling.lines
    assert len(shop.ids("shop")) == 2
    until(lambda: pins(shop) == [], 30, "no pin is left")
    write(shop)
    shop.ok("up", "--reset-scale")
