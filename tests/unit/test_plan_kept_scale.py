"""What `up` makes of a scale, and of the counts of a stack that Docker Compose made."""

from __future__ import annotations

import pytest
from memory import MemoryEngine, finish, lines, planned, running, shop
from memory.stacks import stack_of
from updates import BOUNDED, web

from msctl.request import Scale, Up


def test_up_keeps_a_manual_scale() -> None:
    """A scale stays until somebody takes it back, and `up` says so."""
    world = running(web())
    finish(MemoryEngine(world, web()), Scale({"web": 5}))
    plan = planned(world, web())
    assert str(plan) == ""
    assert plan.notes == (
        "web keeps its scale of 5 (scale); the file says 3, --reset-scale returns to it",
    )


def test_up_mends_a_manual_scale() -> None:
    """A replica that is missing from a manual scale is brought back."""
    world = running(web())
    finish(MemoryEngine(world, web()), Scale({"web": 4}))
    world.stop("shop-web-4")
    world.remove("shop-web-4")
    assert str(planned(world, web())) == lines(
        """
        #1 create shop-web-4, 4 wanted, 3 there
        #2 start shop-web-4, 4 wanted, 3 there after #1
        #3 await healthy shop-web-4 after #2
        """
    )


def test_reset_scale_returns_to_the_file() -> None:
    """`--reset-scale` forgets the intent, and what is too much goes."""
    world = running(web())
    finish(MemoryEngine(world, web()), Scale({"web": 4}))
    assert str(planned(world, web(), Up(reset_scale=True))) == lines(
        """
        #1 remove volume shop_msctl-web-1, --reset-scale
        #2 stop shop-web-4, 3 are wanted
        #3 remove shop-web-4, 3 are wanted after #2
        """
    )


def test_a_scale_outside_new_bounds_is_moved_into_them() -> None:
    """Where the file's bounds have moved, the nearest allowed number is kept."""
    world = running(web())
    finish(MemoryEngine(world, web()), Scale({"web": 5}))
    plan = planned(world, web(replicas={"initial": 3, "min": 1, "max": 4}))
    assert str(plan) == lines(
        """
        #1 stop shop-web-5, 4 are wanted
        #2 remove shop-web-5, 4 are wanted after #1
        """
    )
    assert plan.notes == (
        "web keeps its scale of 4 (scale); the file says 3, --reset-scale returns to it",
    )


def test_another_number_in_the_file_replaces_nobody() -> None:
    """`replicas` says how many containers there are, not how each of them is made."""
    world = running(stack_of({"web": {}}))
    assert str(planned(world, stack_of({"web": {"replicas": 2}}))) == lines(
        """
        #1 create shop-web-2, 2 wanted, 1 there
        #2 start shop-web-2, 2 wanted, 1 there after #1
        #3 await healthy shop-web-2 after #2
        """
    )


def test_the_intent_of_a_service_that_left_the_file_is_forgotten() -> None:
    """A service that comes back later starts with the file's number."""
    stack = stack_of({"web": {}, "old": {}})
    world = running(stack)
    finish(MemoryEngine(world, stack), Scale({"old": 2}))
    finish(MemoryEngine(world, stack_of({"web": {}})))
    assert world.volumes == {}


# Taking over what Docker Compose made


def test_a_stack_of_docker_compose_is_taken_over_as_it_is() -> None:
    """Containers that match the file are not touched, whoever made them."""
    world = running(shop())
    world.disown()
    assert str(planned(world, shop())) == ""


def test_a_takeover_keeps_the_running_count_and_writes_it_down() -> None:
    """On takeover the number that runs counts as a manual scale, before anything is replaced."""
    world = running(stack_of({"web": {"replicas": 2}}))
    world.disown()
    stack = stack_of({"web": {"env": {"A": "1"}}})
    assert str(planned(world, stack)) == lines(
        """
        #1 record scale of web = 2, taken over
        #2 create shop-web-3, its configuration changed after #1
        #3 start shop-web-3, its configuration changed after #2
        #4 await healthy shop-web-3 after #3
        #5 await steady shop-web-3 after #4
        #6 stop shop-web-2, its configuration changed after #1 #5
        #7 remove shop-web-2, its configuration changed after #6
        #8 create shop-web-4, its configuration changed after #1 #7
        #9 start shop-web-4, its configuration changed after #7 #8
        #10 await healthy shop-web-4 after #9
        #11 await steady shop-web-4 after #10
        #12 stop shop-web-1, its configuration changed after #1 #11
        #13 remove shop-web-1, its configuration changed after #12
        """
    )


@pytest.mark.parametrize(("there", "wanted"), [(1, 2), (3, 3), (5, 4)])
def test_a_takeover_stays_within_the_bounds(there: int, wanted: int) -> None:
    """A running count outside the file's bounds is moved into them."""
    world = running(stack_of({"web": {"replicas": there}}))
    world.disown()
    finish(MemoryEngine(world, stack_of({"web": BOUNDED})))
    assert len(world.containers) == wanted
