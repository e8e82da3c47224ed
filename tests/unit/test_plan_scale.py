"""What `scale` does, and what it refuses, as it prints."""

from __future__ import annotations

import pytest
from memory import Behaviour, MemoryEngine, World, finish, lines, planned, running, shop
from memory.stacks import stack_of
from updates import BOUNDED, web

from msctl.errors import UsageProblem
from msctl.request import Restart, Scale, Up


def test_scaling_up_records_the_intent_before_the_first_replica_comes() -> None:
    """The wanted number is written down first, then all new replicas come at once."""
    assert str(planned(running(web()), web(), Scale({"web": 5}))) == lines(
        """
        #1 record scale of web = 5, scale
        #2 create shop-web-4, scale 3 → 5 after #1
        #3 start shop-web-4, scale 3 → 5 after #2
        #4 await healthy shop-web-4 after #3
        #5 create shop-web-5, scale 3 → 5 after #1
        #6 start shop-web-5, scale 3 → 5 after #5
        #7 await healthy shop-web-5 after #6
        """
    )


def test_scaling_down_gives_up_the_highest_numbers() -> None:
    """Of equal replicas the youngest go."""
    assert str(planned(running(web()), web(), Scale({"web": 1}))) == lines(
        """
        #1 record scale of web = 1, scale
        #2 stop shop-web-3, scale 3 → 1 after #1
        #3 remove shop-web-3, scale 3 → 1 after #2
        #4 stop shop-web-2, scale 3 → 1 after #1
        #5 remove shop-web-2, scale 3 → 1 after #4
        """
    )


def test_the_dead_and_the_unhealthy_go_first() -> None:
    """Scaling down spares the replicas that serve: first goes what is dead, then what is ill."""
    stack = stack_of({"web": {"replicas": 4, "health": {"command": ["true"]}}})
    world = running(stack)
    world.kill("shop-web-1")
    world.behave("shop-web-2", Behaviour(healthy_after=None, unhealthy_after=0.1))
    world.stop("shop-web-2")
    world.start("shop-web-2")
    world.advance(1.0)
    assert str(planned(world, stack, Scale({"web": 1}))) == lines(
        """
        #1 record scale of web = 1, scale
        #2 remove shop-web-1, scale 4 → 1 after #1
        #3 stop shop-web-2, scale 4 → 1 after #1
        #4 remove shop-web-2, scale 4 → 1 after #3
        #5 stop shop-web-4, scale 4 → 1 after #1
        #6 remove shop-web-4, scale 4 → 1 after #5
        """
    )


def test_what_does_not_run_is_started_when_it_stays() -> None:
    """A scale ends with the asked number of replicas that serve."""
    world = running(web())
    world.kill("shop-web-2")
    assert str(planned(world, web(), Scale({"web": 3}))) == lines(
        """
        #1 record scale of web = 3, scale
        #2 start shop-web-2, it is exited
        #3 await healthy shop-web-2 after #2
        """
    )


def test_a_new_replica_is_awaited_at_the_gateway() -> None:
    """Scaling up a routed service ends when the gateway lists the new replica."""
    world = running(shop())
    assert str(planned(world, shop(), Scale({"api": 3}))) == lines(
        """
        #1 record scale of api = 3, scale
        #2 create shop-api-3, scale 2 → 3 after #1
        #3 start shop-api-3, scale 2 → 3 after #2
        #4 await healthy shop-api-3 after #3
        #5 await routed shop-api-3 after #4
        """
    )


def test_several_services_are_scaled_at_once() -> None:
    """Each service has its own intent, and none waits for the other."""
    stack = stack_of({"a": {}, "b": {}})
    assert str(planned(running(stack), stack, Scale({"a": 2, "b": 2}))) == lines(
        """
        #1 record scale of a = 2, scale
        #2 create shop-a-2, scale 1 → 2 after #1
        #3 start shop-a-2, scale 1 → 2 after #2
        #4 await healthy shop-a-2 after #3
        #5 record scale of b = 2, scale
        #6 create shop-b-2, scale 1 → 2 after #5
        #7 start shop-b-2, scale 1 → 2 after #6
        #8 await healthy shop-b-2 after #7
        """
    )


def test_a_scale_that_is_there_already_changes_nothing() -> None:
    """Asking twice for the same number does nothing the second time."""
    world = running(web())
    finish(MemoryEngine(world, web()), Scale({"web": 4}))
    assert str(planned(world, web(), Scale({"web": 4}))) == ""


def test_an_edited_file_is_not_deployed() -> None:
    """New replicas are clones of those that run, whatever the file says by now."""
    world = running(web(env={"A": "old"}))
    edited = web(env={"A": "new"})
    finish(MemoryEngine(world, edited), Scale({"web": 4}))
    assert world.containers["shop-web-4"].body["Env"] == ["A=old"]


def test_the_revision_that_most_replicas_run_is_cloned() -> None:
    """In the middle of a broken-off update the majority decides, and the newest of equals."""
    world = running(web(env={"A": "old"}))
    world.behave("shop-web-4", Behaviour(healthy_after=None))
    edited = web(env={"A": "new"})
    for name in ("shop-web-1", "shop-web-2"):
        world.stop(name)
        world.remove(name)
    finish(MemoryEngine(world, edited), Scale({"web": 2}))
    assert world.containers["shop-web-4"].body["Env"] == ["A=old"]


def test_what_is_not_up_is_not_scaled() -> None:
    """`scale` before `up` is refused, with what to type."""
    with pytest.raises(UsageProblem) as caught:
        planned(World().have("web:1"), web(), Scale({"web": 2}))
    assert caught.value.message == "web is not up, so there is nothing to scale"
    assert caught.value.hint == "msctl up web"


def test_what_docker_compose_made_otherwise_is_not_cloned() -> None:
    """Replicas without a revision that differ from the file cannot be cloned, and are not."""
    world = running(web())
    world.disown()
    assert "create shop-web-4" in str(planned(world, web(), Scale({"web": 4})))
    with pytest.raises(UsageProblem) as caught:
        planned(world, web(env={"A": "1"}), Scale({"web": 4}))
    assert caught.value.message == "web was not made by msctl, and differs from the stack file"
    assert caught.value.hint == "msctl up web"


REFUSED = [
    ("traefik", 2, "traefik is the gateway: it has one replica and is not scaled"),
    ("wbe", 2, "wbe is not a service of shop; did you mean 'web'?"),
    ("db", 2, "db cannot be scaled: it is stateful"),
    ("once", 2, "once cannot be scaled: it is a job"),
    ("fixed", 2, "fixed cannot be scaled: it has a fixed host port"),
    ("web", 0, "web: 0 replicas are outside 1 to 10"),
    ("web", 11, "web: 11 replicas are outside 1 to 10"),
    ("web", -1, "web: -1 replicas are outside 1 to 10"),
    ("bounded", 1, "bounded: 1 replicas are outside 2 to 4"),
    ("bounded", 5, "bounded: 5 replicas are outside 2 to 4"),
]


@pytest.mark.parametrize(("service", "count", "message"), REFUSED)
def test_what_cannot_be_scaled_is_refused(service: str, count: int, message: str) -> None:
    """A count or a service that cannot be is refused with what is allowed, and nothing is done."""
    stack = stack_of(
        {
            "web": {"port": 80, "routes": ["/"]},
            "db": {"stateful": True},
            "once": {"job": True},
            "fixed": {"ports": ["9000:80"]},
            "bounded": BOUNDED,
        }
    )
    world = World()
    world.behave("once", Behaviour(exit_code=0))
    running(stack, world)
    before = world.snapshot()
    with pytest.raises(UsageProblem) as caught:
        planned(world, stack, Scale({"web": 3, service: count}))
    assert caught.value.message == message
    assert world.snapshot() == before


def test_a_gateway_that_does_not_run_is_not_waited_for() -> None:
    """`docker compose stop traefik`: what is asked for is done, and it is told who gets no
    requests; what starts the gateway waits for it again."""
    stack = stack_of({"web": {"routes": ["/"], "port": 80, "replicas": {"initial": 1, "max": 5}}})
    world = running(stack)
    world.stop("shop_traefik")
    for request in (Scale({"web": 3}), Restart("web")):
        plan = planned(world, stack, request)
        assert "await routed" not in str(plan)
        told = [note for note in plan.notes if "web gets no requests until it does" in note]
        assert len(told) == 1
        finish(MemoryEngine(world, stack), request)
    assert "await routed shop-web-" in str(planned(world, stack, Up()))
