"""What an update that fails leaves, and what the next one makes of it."""

from __future__ import annotations

import pytest
from memory import Behaviour, MemoryEngine, finish, lines, planned, running
from memory.stacks import stack_of
from updates import CHECKED, web

from msctl.errors import StepFailed


def test_a_new_replica_that_does_not_get_healthy_goes_and_leaves_the_old_ones_serving() -> None:
    """A failed update ends with exactly the old replicas, all healthy."""
    old, new = web(**CHECKED), web(**CHECKED, env={"A": "1"})
    world = running(old)
    world.behave("web", Behaviour(healthy_after=None))
    with pytest.raises(StepFailed, match=r"shop-web-4 did not become healthy within 60s"):
        finish(MemoryEngine(world, new))
    assert world.named() == ["shop-web-1", "shop-web-2", "shop-web-3"]
    assert all(c.healthy for c in world.containers.values())


def test_old_replicas_serve_until_those_of_a_failed_update_are_healthy() -> None:
    """A second `up` after a failed one does not take the old replicas for spare."""
    old, new = stack_of({"web": CHECKED}), stack_of({"web": {**CHECKED, "env": {"A": "1"}}})
    world = running(old)
    world.behave("shop-web-2", Behaviour(healthy_after=None))
    with pytest.raises(StepFailed):
        finish(MemoryEngine(world, new))
    assert str(planned(world, new)) == lines(
        """
        #1 keep image shop-web:previous
        #2 create shop-web-2, its configuration changed
        #3 start shop-web-2, its configuration changed after #2
        #4 await healthy shop-web-2 after #3
        #5 await steady shop-web-2 after #4
        #6 stop shop-web-1, its configuration changed after #5
        #7 remove shop-web-1, its configuration changed after #6
        """
    )
    with pytest.raises(StepFailed):
        finish(MemoryEngine(world, new))
    assert world.containers["shop-web-1"].healthy


def test_an_update_that_failed_leaves_nothing_to_take_back() -> None:
    """Returning to the file of before a failed update has nothing to do."""
    old, new = web(**CHECKED), web(**CHECKED, env={"A": "1"})
    world = running(old)
    world.behave("web", Behaviour(healthy_after=None))
    with pytest.raises(StepFailed):
        finish(MemoryEngine(world, new))
    assert str(planned(world, old)) == ""


def test_unhealthy_old_replicas_are_replaced_first() -> None:
    """Of the replicas that have to go, those go first that serve worst."""
    world = running(web(**CHECKED))
    world.behave("shop-web-1", Behaviour(healthy_after=None, unhealthy_after=0.1))
    world.stop("shop-web-1")
    world.start("shop-web-1")
    world.advance(1.0)
    world.kill("shop-web-2")
    plan = planned(world, web(**CHECKED, env={"A": "1"}))
    gone = [step.target for step in plan.steps() if step.verb == "remove"]
    assert gone == ["shop-web-2", "shop-web-1", "shop-web-3"]
