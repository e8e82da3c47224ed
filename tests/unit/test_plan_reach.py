"""The gateway is on each network by which it reaches a replica, and in the end on no other."""

from __future__ import annotations

import pytest
from memory import MemoryEngine, World, finish, lines, planned, run_prefix, running
from memory.converged import assert_converged
from memory.stacks import HEALTH, stack_of

from msctl.engines.compose.steps import CreateContainer, JoinNetwork, LeaveNetwork
from msctl.model import GATEWAY, Stack
from msctl.request import Restart, Rollback, Rollout, Scale, Up

WEB = {"port": 80, "routes": ["/"], "health": HEALTH, "needs": ["db"]}
DB = {"stateful": True, "volumes": ["data:/data"], "health": {"command": ["pg_isready"]}}


def before() -> Stack:
    """All in one network, as a file that named none had it."""
    return stack_of({"db": DB, "web": WEB}, networks=["backend"])


def after() -> Stack:
    return stack_of({"db": DB, "web": WEB})


def attached(world: World, service: str) -> set[str]:
    (name,) = world.named(service)
    return set(world.containers[name].networks)


def assert_reached(world: World) -> None:
    """The gateway is on the network of each healthy replica that it lists."""
    gateways = [c for c in world.containers.values() if c.service == GATEWAY and c.running]
    for gateway in gateways:
        for name in world.named("web"):
            replica = world.containers[name]
            if replica.healthy:
                assert replica.labels["traefik.docker.network"] in gateway.networks


def test_from_one_network_to_two_the_gateway_is_on_both_on_the_way() -> None:
    """It is replaced, once; it leaves the old network when nothing is led there any more. The
    database stays as it is."""
    world = running(before())
    plan = planned(world, after())
    assert str(plan) == lines(
        """
        #1 keep image shop-traefik:previous
        #2 create network shop_gateway
        #3 stop shop_traefik, its configuration changed after #2
        #4 remove shop_traefik, its configuration changed after #3
        #5 create shop_traefik, its configuration changed after #2 #4
        #6 clear pins of shop_traefik after #4 #5
        #7 start shop_traefik, its configuration changed after #6
        #8 await healthy shop_traefik after #7
        #9 keep image shop-web:previous
        #10 pin web.a.yml, its configuration changed after #8
        #11 await pin of web after #10
        #12 create shop-web-2, its configuration changed after #2 #11
        #13 start shop-web-2, its configuration changed after #11 #12
        #14 await healthy shop-web-2 after #13
        #15 await steady shop-web-2 after #14
        #16 pin web.b.yml, its configuration changed after #8 #15
        #17 await pin of web after #16
        #18 unpin web.a.yml, slot b holds after #17
        #19 await unpin of web after #18
        #20 drain web, its configuration changed after #19
        #21 await steady shop-web-2 after #20
        #22 stop shop-web-1, its configuration changed after #21
        #23 remove shop-web-1, its configuration changed after #22
        #24 await servers of web after #8 #23
        #25 unpin web.b.yml, the labels agree after #24
        #26 await unpin of web after #25
        #27 leave network shop_backend, nothing that it leads to is there after #1 #9 #26
        """
    )
    assert plan.notes == (
        "the gateway is replaced: for some seconds no request is answered",
        "the gateway leaves network shop_backend: requests that are under way then may be cut off "
        "(Docker 28 does not do that)",
    )
    finish(MemoryEngine(world, after()))
    assert_converged(world, after())
    assert attached(world, "db").isdisjoint(attached(world, GATEWAY))


@pytest.mark.parametrize("steps", range(40))
def test_killed_on_the_way_it_still_reaches_what_serves(steps: int) -> None:
    """And the next `up` ends it."""
    world = running(before())
    run_prefix(MemoryEngine(world, after()), Up(), stop_after=steps)
    assert_reached(world)
    finish(MemoryEngine(world, after()))
    assert_converged(world, after())
    assert str(planned(world, after())) == ""


def test_one_service_alone_takes_the_gateway_along() -> None:
    """What is not named is not updated: the gateway joins the network of the one that is."""
    world = running(before())
    plan = planned(world, after(), Rollout("web"))
    (join,) = [step for step in plan.steps() if isinstance(step, JoinNetwork)]
    assert (join.target, join.container) == ("shop_gateway", "shop_traefik")
    finish(MemoryEngine(world, after()), Rollout("web"))
    assert_reached(world)
    assert attached(world, GATEWAY) == {"shop_backend", "shop_gateway"}
    finish(MemoryEngine(world, after()))
    assert_converged(world, after())


def test_back_to_the_revision_before_it_joins_the_old_network_again() -> None:
    """And so does a new gateway, while such replicas run."""
    world = running(before())
    finish(MemoryEngine(world, after()))
    finish(MemoryEngine(world, after()), Rollback("web"))
    assert_reached(world)
    finish(MemoryEngine(world, after()), Restart(GATEWAY))
    assert_reached(world)
    finish(MemoryEngine(world, after()), Scale({"web": 2}))
    assert_reached(world)
    finish(MemoryEngine(world, after()))
    assert_converged(world, after(), web=2)


def test_a_network_that_somebody_joined_the_gateway_to_stays() -> None:
    """It is not the project's."""
    world = running(after())
    world.networks["elsewhere"] = {}
    world.connect(world.containers["shop_traefik"], "elsewhere")
    assert str(planned(world, after())) == ""
    world.connect(world.containers["shop_traefik"], "shop_backend")
    (leave,) = planned(world, after()).steps()
    assert isinstance(leave, LeaveNetwork)
    assert leave.target == "shop_backend"


@pytest.mark.parametrize(
    ("api", "priorities"),
    [
        ((1, 47), {"shop_gateway": None, "shop_backend": None}),
        ((1, 48), {"shop_gateway": 1, "shop_backend": None}),
    ],
)
def test_its_ports_are_on_a_network_that_it_keeps(
    api: tuple[int, int], priorities: dict[str, int | None]
) -> None:
    """Else the engine ends the connections when the gateway leaves the one that they are on."""
    world = running(before())
    world.api = api
    plan = planned(world, after())
    made = [step for step in plan.steps() if isinstance(step, CreateContainer)]
    (gateway,) = [step for step in made if step.service == GATEWAY]
    assert any("may be cut off" in note for note in plan.notes) == (api < (1, 48))
    found = {name: settings.get("GwPriority") for name, settings in gateway.networks.items()}
    assert found == priorities


def test_its_ports_are_not_on_a_network_that_leads_nowhere() -> None:
    """However the networks are called."""
    world = running(before())
    world.api = (1, 48)
    proxy = {"socket_proxy": {}}
    stack = stack_of({"db": DB, "web": WEB}, networks=["zone"], gateway=proxy)
    made = [step for step in planned(world, stack).steps() if isinstance(step, CreateContainer)]
    (gateway,) = [step for step in made if step.service == GATEWAY]
    assert list(gateway.networks)[:2] == ["shop_zone", "shop_socket-proxy"]
    assert gateway.networks["shop_zone"]["GwPriority"] == 1
