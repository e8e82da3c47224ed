"""What a service has to wait for that needs another one."""

from __future__ import annotations

from memory import World, images_of, lines, planned, running
from memory.stacks import HEALTH, stack_of

from msctl.engines.compose.steps import AwaitCheck
from msctl.model import Stack
from msctl.request import Scale

CHECKED = {"health": {"command": ["true"]}}
DB = {"stateful": True, "volumes": ["data:/data"], **CHECKED}


def steps(stack: Stack, world: World | None = None) -> str:
    return str(planned(world or World().have(*images_of(stack)), stack))


def test_a_check_lets_the_next_one_start() -> None:
    """Every replica of what is needed; health, which its engine may see late, is for the end."""
    stack = stack_of({"api": {"replicas": 2, **CHECKED}, "web": {"needs": ["api"], **CHECKED}})
    assert steps(stack) == lines(
        """
        #1 create network shop_backend
        #2 create shop-api-1, it is not there after #1
        #3 start shop-api-1, it is not there after #2
        #4 await check of shop-api-1 after #3
        #5 await healthy shop-api-1 after #4
        #6 create shop-api-2, it is not there after #1
        #7 start shop-api-2, it is not there after #6
        #8 await check of shop-api-2 after #7
        #9 await healthy shop-api-2 after #8
        #10 create shop-web-1, it is not there after #1
        #11 start shop-web-1, it is not there after #4 #8 #10
        #12 await healthy shop-web-1 after #11
        """
    )


def test_without_a_check_what_is_needed_has_to_keep_running() -> None:
    stack = stack_of({"api": {}, "web": {"needs": ["api"]}})
    assert "await check" not in steps(stack)
    assert "start shop-web-1, it is not there after #4 #5" in steps(stack)


def test_what_was_ended_is_checked_when_it_starts_again() -> None:
    """The gateway leads to a replica when it is healthy, as ever."""
    stack = stack_of(
        {"api": {"port": 80, "routes": ["/"], "health": HEALTH}, "b": {"needs": ["api"]}}
    )
    world = running(stack)
    for name in ("shop-api-1", "shop-b-1"):
        world.kill(name)
    assert steps(stack, world) == lines(
        """
        #1 start shop-api-1, it is exited
        #2 await check of shop-api-1 after #1
        #3 await healthy shop-api-1 after #2
        #4 await routed shop-api-1 after #3
        #5 start shop-b-1, it is exited after #2
        #6 await healthy shop-b-1 after #5
        """
    )


def test_volumes_that_are_there_are_told_from_those_that_are_new() -> None:
    """Who sets up its data is not to be checked early."""
    stack = stack_of({"db": DB, "web": {"needs": ["db"]}})
    world = World().have(*images_of(stack))
    for filled in (set(), {"shop_data"}):
        (check,) = [s for s in planned(world, stack).steps() if isinstance(s, AwaitCheck)]
        assert check.filled == filled
        world = running(stack, world)
        for name in ("shop-db-1", "shop-web-1"):
            world.kill(name)


def test_a_scale_waits_for_health_alone() -> None:
    """Nothing starts behind it."""
    stack = stack_of({"api": CHECKED, "web": {"needs": ["api"]}})
    plan = str(planned(running(stack), stack, Scale({"api": 2})))
    assert "await healthy shop-api-2" in plan
    assert "await check" not in plan
