"""msctl is killed at any moment of a change, under load."""

from __future__ import annotations

import random
import time

import pytest
from live import Stack

from traffic import load, nothing_lost, pins, write

pytestmark = [pytest.mark.engine, pytest.mark.soak]
KILLS = 20


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
            assert len(shop.ids()) == 5, shop.ids()
    nothing_lost(shop, traffic)
