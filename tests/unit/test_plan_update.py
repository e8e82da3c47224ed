"""How replicas are replaced when the file, an image or a mounted file changed, as it prints."""

from __future__ import annotations

from typing import Any

import pytest
from memory import MemoryEngine, finish, lines, planned, running
from memory.converged import assert_converged
from memory.stacks import stack_of
from updates import ROUTED, web

from msctl.engines.compose.planning.up import plan_up
from msctl.state import ImageState


def test_replicas_are_replaced_one_by_one() -> None:
    """With a surge of 1 the next new replica comes when one old one has gone."""
    assert str(planned(running(web()), web(env={"A": "1"}))) == lines(
        """
        #1 keep image shop-web:previous
        #2 create shop-web-4, its configuration changed
        #3 start shop-web-4, its configuration changed after #2
        #4 await healthy shop-web-4 after #3
        #5 await steady shop-web-4 after #4
        #6 stop shop-web-3, its configuration changed after #5
        #7 remove shop-web-3, its configuration changed after #6
        #8 create shop-web-5, its configuration changed after #7
        #9 start shop-web-5, its configuration changed after #7 #8
        #10 await healthy shop-web-5 after #9
        #11 await steady shop-web-5 after #10
        #12 stop shop-web-2, its configuration changed after #11
        #13 remove shop-web-2, its configuration changed after #12
        #14 create shop-web-6, its configuration changed after #13
        #15 start shop-web-6, its configuration changed after #13 #14
        #16 await healthy shop-web-6 after #15
        #17 await steady shop-web-6 after #16
        #18 stop shop-web-1, its configuration changed after #17
        #19 remove shop-web-1, its configuration changed after #18
        """
    )


@pytest.mark.parametrize("surge", [2, "50%"])
def test_a_surge_is_how_many_come_at_once(surge: int | str) -> None:
    """A surge of 2, or of half of 3, replaces two replicas at once; percent are rounded up."""
    stack = web(env={"A": "1"}, rollout={"surge": surge})
    assert str(planned(running(web()), stack)) == lines(
        """
        #1 keep image shop-web:previous
        #2 create shop-web-4, its configuration changed
        #3 start shop-web-4, its configuration changed after #2
        #4 await healthy shop-web-4 after #3
        #5 create shop-web-5, its configuration changed
        #6 start shop-web-5, its configuration changed after #5
        #7 await healthy shop-web-5 after #6
        #8 await steady shop-web-4 after #4
        #9 await steady shop-web-5 after #7
        #10 stop shop-web-3, its configuration changed after #8 #9
        #11 remove shop-web-3, its configuration changed after #10
        #12 stop shop-web-2, its configuration changed after #8 #9
        #13 remove shop-web-2, its configuration changed after #12
        #14 create shop-web-6, its configuration changed after #11 #13
        #15 start shop-web-6, its configuration changed after #11 #13 #14
        #16 await healthy shop-web-6 after #15
        #17 await steady shop-web-6 after #16
        #18 stop shop-web-1, its configuration changed after #17
        #19 remove shop-web-1, its configuration changed after #18
        """
    )


@pytest.mark.parametrize(("surge", "most"), [(1, 4), (2, 5), (9, 6), ("1%", 4), ("100%", 6)])
def test_a_surge_bounds_how_many_replicas_are_there(surge: int | str, most: int) -> None:
    """While replacing there are never more containers than wanted and surge, nor fewer healthy."""
    world = running(web())
    seen = []
    world.watchers.append(lambda: seen.append([c.healthy for c in world.containers.values()]))
    finish(MemoryEngine(world, web(env={"A": "1"}, rollout={"surge": surge})))
    assert max(len(replicas) for replicas in seen) == most
    assert min(sum(replicas) for replicas in seen) == 3


def test_stop_first_replaces_in_place_of_the_old() -> None:
    """With `order: stop-first` an old replica goes before its successor comes, one by one."""
    stack = stack_of(
        {"web": {"replicas": 2, "env": {"A": "1"}, "rollout": {"order": "stop-first"}}}
    )
    assert str(planned(running(stack_of({"web": {"replicas": 2}})), stack)) == lines(
        """
        #1 keep image shop-web:previous
        #2 stop shop-web-2, its configuration changed
        #3 remove shop-web-2, its configuration changed after #2
        #4 create shop-web-3, its configuration changed after #3
        #5 start shop-web-3, its configuration changed after #3 #4
        #6 await healthy shop-web-3 after #5
        #7 stop shop-web-1, its configuration changed after #6
        #8 remove shop-web-1, its configuration changed after #7
        #9 create shop-web-4, its configuration changed after #8
        #10 start shop-web-4, its configuration changed after #8 #9
        #11 await healthy shop-web-4 after #10
        """
    )


@pytest.mark.parametrize(
    "alone",
    [
        pytest.param({"stateful": True}, id="stateful"),
        pytest.param({"ports": ["8080:80"]}, id="a fixed host port"),
    ],
)
def test_what_can_be_there_once_is_replaced_stop_first_under_its_number(alone: Any) -> None:
    """A database or the holder of a host port goes before its successor of the same name comes."""
    world = running(stack_of({"db": alone}))
    assert str(planned(world, stack_of({"db": {**alone, "env": {"A": "1"}}}))) == lines(
        """
        #1 keep image shop-db:previous
        #2 stop shop-db-1, its configuration changed
        #3 remove shop-db-1, its configuration changed after #2
        #4 create shop-db-1, its configuration changed after #3
        #5 start shop-db-1, its configuration changed after #3 #4
        #6 await healthy shop-db-1 after #5
        """
    )


def test_what_needs_a_replaced_service_is_left_alone() -> None:
    """A change of one service replaces that one only, also when others need it."""
    world = running(stack_of({"db": {"stateful": True}, "api": {"needs": ["db"]}}))
    stack = stack_of({"db": {"stateful": True, "env": {"A": "1"}}, "api": {"needs": ["db"]}})
    assert {step.service for step in planned(world, stack).steps()} == {"db"}


def test_a_replaced_service_comes_behind_what_it_needs() -> None:
    """New replicas start when the new replicas of what they need are healthy."""
    world = running(stack_of({"db": {"stateful": True}, "api": {"needs": ["db"]}}))
    new = {"env": {"A": "1"}}
    stack = stack_of({"db": {"stateful": True, **new}, "api": {"needs": ["db"], **new}})
    assert str(planned(world, stack)) == lines(
        """
        #1 keep image shop-db:previous
        #2 stop shop-db-1, its configuration changed
        #3 remove shop-db-1, its configuration changed after #2
        #4 create shop-db-1, its configuration changed after #3
        #5 start shop-db-1, its configuration changed after #3 #4
        #6 await healthy shop-db-1 after #5
        #7 keep image shop-api:previous
        #8 create shop-api-2, its configuration changed
        #9 start shop-api-2, its configuration changed after #6 #8
        #10 await healthy shop-api-2 after #9
        #11 await steady shop-api-2 after #10
        #12 stop shop-api-1, its configuration changed after #11
        #13 remove shop-api-1, its configuration changed after #12
        """
    )


def test_an_image_that_was_pulled_or_built_anew_replaces_the_replicas() -> None:
    """The same reference with another image behind it is a change."""
    stack = stack_of({"web": {}})
    world = running(stack)
    world.images["web:1"] = ImageState("sha256:new", stand_in=False)
    assert str(planned(world, stack)) == lines(
        """
        #1 keep image shop-web:previous
        #2 create shop-web-2, its image changed
        #3 start shop-web-2, its image changed after #2
        #4 await healthy shop-web-2 after #3
        #5 await steady shop-web-2 after #4
        #6 stop shop-web-1, its image changed after #5
        #7 remove shop-web-1, its image changed after #6
        """
    )


def test_a_mounted_file_with_other_contents_replaces_the_replicas() -> None:
    """A container reads its configuration once, so that a changed file needs a new container."""
    stack = stack_of({"web": {"volumes": ["./web.conf:/web.conf:ro"]}})
    world = running(stack, files_world())
    world.files["/srv/shop/web.conf"] = "new"
    assert str(planned(world, stack)) == lines(
        """
        #1 keep image shop-web:previous
        #2 create shop-web-2, a mounted file changed
        #3 start shop-web-2, a mounted file changed after #2
        #4 await healthy shop-web-2 after #3
        #5 await steady shop-web-2 after #4
        #6 stop shop-web-1, a mounted file changed after #5
        #7 remove shop-web-1, a mounted file changed after #6
        """
    )


def files_world() -> Any:
    from memory import World

    return World(files={"/srv/shop/web.conf": "old"})


# Behind the gateway


def test_old_replicas_go_when_the_gateway_lists_the_new_ones() -> None:
    """A routed replica is replaced when its successor gets requests, not when it is healthy."""
    world = running(stack_of({"web": ROUTED}))
    stack = stack_of({"web": {**ROUTED, "env": {"A": "1"}}})
    assert str(planned(world, stack)) == lines(
        """
        #1 keep image shop-web:previous
        #2 pin web.a.yml, its configuration changed
        #3 await pin of web after #2
        #4 create shop-web-2, its configuration changed after #3
        #5 start shop-web-2, its configuration changed after #3 #4
        #6 await healthy shop-web-2 after #5
        #7 await steady shop-web-2 after #6
        #8 pin web.b.yml, its configuration changed after #7
        #9 await pin of web after #8
        #10 unpin web.a.yml, slot b holds after #9
        #11 await unpin of web after #10
        #12 drain web, its configuration changed after #11
        #13 await steady shop-web-2 after #12
        #14 stop shop-web-1, its configuration changed after #13
        #15 remove shop-web-1, its configuration changed after #14
        #16 await servers of web after #15
        #17 unpin web.b.yml, the labels agree after #16
        #18 await unpin of web after #17
        """
    )


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"routes": ["/other"]}, id="route"),
        pytest.param({"health": {"path": "/ready"}}, id="health path"),
        pytest.param({"sticky": "cookie"}, id="sticky"),
        pytest.param({"port": 81}, id="port"),
    ],
)
@pytest.mark.parametrize("order", ["start-first", "stop-first"])
def test_a_change_of_labels_comes_to_its_end(change: Any, order: str) -> None:
    """The gateway drops a service whose replicas disagree; nothing waits for its list meanwhile."""
    rollout = {"replicas": 2, "rollout": {"order": order}}
    world = running(stack_of({"web": {**ROUTED, **rollout}}))
    stack = stack_of({"web": {**ROUTED, **rollout, **change}})
    finish(MemoryEngine(world, stack))
    assert_converged(world, stack)


def test_the_planner_is_a_function_of_what_it_is_told() -> None:
    """The same stack, state and request give the same plan."""
    from msctl.request import Up

    world, stack = running(web()), web(env={"A": "1"})
    engine = MemoryEngine(world, stack)
    state = engine.observe()
    plans = [str(plan_up(engine.desired(state), state, Up())) for _ in range(2)]
    assert plans[0] == plans[1] != ""


def test_every_batch_is_drained_for_its_whole_time() -> None:
    """Two drains of a service in one plan are equal as data, and each takes its own time."""
    old = {**ROUTED, "replicas": 2, "rollout": {"drain": "7s"}}
    world = running(stack_of({"web": old}))
    before = world.now
    finish(MemoryEngine(world, stack_of({"web": {**old, "env": {"A": "1"}}})))
    assert world.now - before >= 14
