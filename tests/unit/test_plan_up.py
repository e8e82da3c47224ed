"""What `up` does to bring a project to its stack file, as it prints."""

from __future__ import annotations

import pytest
from memory import Behaviour, MemoryEngine, World, images_of, lines, planned, running, shop
from memory.stacks import HEALTH, stack_of

from msctl.errors import MsctlError, UsageProblem
from msctl.request import Up

DB = {"stateful": True, "volumes": ["data:/data"]}


def test_a_first_up_creates_everything_and_starts_it_in_the_order_of_needs() -> None:
    """Creates come at once, starts behind a check of their needs, routes behind the gateway."""
    stack = shop()
    assert str(planned(World().have(*images_of(stack)), stack)) == lines(
        """
        #1 create network shop_gateway
        #2 create volume shop_gateway
        #3 create shop_traefik, it is not there after #1 #2
        #4 clear pins of shop_traefik after #3
        #5 start shop_traefik, it is not there after #4
        #6 await healthy shop_traefik after #5
        #7 create network shop_backend
        #8 create volume shop_data
        #9 create shop-db-1, it is not there after #7 #8
        #10 start shop-db-1, it is not there after #9
        #11 await check of shop-db-1 after #10
        #12 await healthy shop-db-1 after #11
        #13 create shop-api-1, it is not there after #1 #7
        #14 start shop-api-1, it is not there after #11 #13
        #15 await check of shop-api-1 after #14
        #16 await healthy shop-api-1 after #15
        #17 create shop-api-2, it is not there after #1 #7
        #18 start shop-api-2, it is not there after #11 #17
        #19 await check of shop-api-2 after #18
        #20 await healthy shop-api-2 after #19
        #21 await routed shop-api-1 after #6 #16 #20
        #22 await routed shop-api-2 after #6 #16 #20
        #23 create shop-web-1, it is not there after #1 #7
        #24 start shop-web-1, it is not there after #15 #19 #23
        #25 await healthy shop-web-1 after #24
        #26 await routed shop-web-1 after #6 #25
        """
    )


def test_a_second_up_has_nothing_to_do() -> None:
    """On a stack that is as its file says, the plan is empty."""
    world = running(shop())
    before = world.snapshot()
    assert str(planned(world, shop())) == ""
    assert world.snapshot() == before


def test_a_missing_image_is_provided_before_anything_is_created() -> None:
    """Images come in a plan of their own: pulled or built side by side, equal builds in a row."""
    build = {"build": "./app"}
    stack = stack_of({"a": build, "b": build, "c": {}})
    plans = MemoryEngine(World(registry={"c:1": World().have("c:1").images["c:1"]}), stack).plans(
        Up()
    )
    assert str(next(plans)) == lines(
        """
        #1 provide image a:1, a needs it
        #2 provide image b:1, b needs it after #1
        #3 provide image c:1, c needs it
        """
    )


def test_a_replica_that_ended_is_started_again() -> None:
    """A container that is there but does not run is started, not replaced."""
    stack = stack_of({"web": {"replicas": 2}})
    world = running(stack)
    world.kill("shop-web-1")
    assert str(planned(world, stack)) == lines(
        """
        #1 start shop-web-1, it is exited
        #2 await healthy shop-web-1 after #1
        """
    )


def test_the_gateway_is_asked_when_a_started_replica_is_healthy() -> None:
    """The deadline for being routed does not run while a replica waits for what it needs."""
    stack = stack_of(
        {"db": DB, "web": {"port": 80, "routes": ["/"], "needs": ["db"], "health": HEALTH}}
    )
    world = running(stack)
    for name in ("shop-db-1", "shop-web-1"):
        world.kill(name)
    assert str(planned(world, stack)) == lines(
        """
        #1 start shop-db-1, it is exited
        #2 await healthy shop-db-1 after #1
        #3 start shop-web-1, it is exited after #2
        #4 await healthy shop-web-1 after #3
        #5 await routed shop-web-1 after #4
        """
    )


def test_a_replica_that_is_not_healthy_is_waited_for() -> None:
    """`up` ends when what runs already has become healthy, too."""
    stack = stack_of({"web": {"health": {"command": ["true"]}}})
    world = running(stack)
    world.behave("web", Behaviour(healthy_after=2.0))
    world.stop("shop-web-1")
    world.start("shop-web-1")
    assert str(planned(world, stack)) == lines(
        """
        #1 await healthy shop-web-1
        """
    )


def test_a_replica_that_the_gateway_does_not_list_is_waited_for() -> None:
    """`up` ends when the gateway sends requests to what was healthy before."""
    stack = stack_of({"web": {"port": 80, "routes": ["/"]}})
    world = running(stack)
    world.stop("shop_traefik")
    assert str(planned(world, stack)) == lines(
        """
        #1 clear pins of shop_traefik
        #2 start shop_traefik, it is exited after #1
        #3 await healthy shop_traefik after #2
        #4 await routed shop-web-1 after #3
        """
    )


def test_a_gateway_that_is_replaced_lists_everybody_again_before_up_ends() -> None:
    """After a change of the gateway, `up` waits until each replica is routed anew."""
    services = {"web": {"port": 80, "routes": ["/"]}}
    world = running(stack_of(services))
    stack = stack_of(services, gateway={"args": ["--log.level=DEBUG"]})
    assert str(planned(world, stack)) == lines(
        """
        #1 keep image shop-traefik:previous
        #2 stop shop_traefik, its configuration changed
        #3 remove shop_traefik, its configuration changed after #2
        #4 create shop_traefik, its configuration changed after #3
        #5 clear pins of shop_traefik after #3 #4
        #6 start shop_traefik, its configuration changed after #5
        #7 await healthy shop_traefik after #6
        #8 await routed shop-web-1 after #7
        """
    )


def test_without_an_api_of_the_gateway_nothing_waits_for_routes() -> None:
    """Where the gateway's API has no address, health is all that can be waited for."""
    stack = stack_of({"web": {"port": 80, "routes": ["/"]}}, gateway={"dashboard": "off"})
    verbs = [step.verb for step in planned(World().have(*images_of(stack)), stack).steps()]
    assert "await healthy" in verbs
    assert "await routed" not in verbs


# Named services


def test_a_named_service_brings_what_it_needs_and_the_gateway() -> None:
    """`up SERVICE` starts the service, its needs that are not healthy, and the gateway; no more."""
    services = {
        "web": {"port": 80, "routes": ["/"], "needs": ["db"]},
        "db": DB,
        "other": {},
    }
    world = World().have(*images_of(stack_of(services)))
    plan = planned(world, stack_of(services), Up(services=("web",)))
    assert {step.service for step in plan.steps()} == {"", "traefik", "web", "db"}


def test_a_named_service_leaves_the_others_as_they_are() -> None:
    """`up SERVICE` updates the named service only, also where it needs one that changed."""
    world = running(stack_of({"web": {"needs": ["db"]}, "db": DB}))
    changed = stack_of({"web": {"needs": ["db"]}, "db": {**DB, "env": {"A": "1"}}})
    assert str(planned(world, changed, Up(services=("web",)))) == ""
    world.kill("shop-db-1")
    assert str(planned(world, changed, Up(services=("web",)))) == lines(
        """
        #1 start shop-db-1, it is exited
        #2 await healthy shop-db-1 after #1
        """
    )


def test_a_service_that_is_not_in_the_file_is_refused_with_the_nearest_name() -> None:
    """An unknown service is refused before anything is done."""
    world = World().have(*images_of(shop()))
    with pytest.raises(UsageProblem) as caught:
        planned(world, shop(), Up(services=("wbe",)))
    assert caught.value.message == "wbe is not a service of shop; did you mean 'web'?"
    assert world.log == []


# Networks and secrets


def test_a_pruned_network_is_made_again_with_what_was_on_it() -> None:
    """A container remembers the network that it was made on, so that it cannot run on another."""
    stack = stack_of({"web": {}})
    world = running(stack)
    world.stop("shop-web-1")
    world.remove_network("shop_backend")
    assert str(planned(world, stack)) == lines(
        """
        #1 keep image shop-web:previous
        #2 remove shop-web-1, its network is gone
        #3 create network shop_backend
        #4 create shop-web-2, it is not there after #3
        #5 start shop-web-2, it is not there after #4
        #6 await healthy shop-web-2 after #5
        """
    )


def test_a_network_of_somebody_else_is_not_taken() -> None:
    """A network of the wanted name that belongs to another project is an error."""
    stack = stack_of({"web": {}})
    world = World(networks={"shop_backend": {}}).have("web:1")
    with pytest.raises(MsctlError) as caught:
        planned(world, stack)
    assert caught.value.message == "network shop_backend exists but is not one of project shop"
    assert caught.value.hint == "docker network rm shop_backend"


def test_secrets_are_there_before_the_volume_that_depends_on_them() -> None:
    """A database's volume without its secret would mean that the secret was lost."""
    stack = stack_of({"db": {**DB, "secrets": ["password"]}})
    assert str(planned(World().have("db:1"), stack)) == lines(
        """
        #1 create network shop_backend
        #2 write secret password
        #3 create volume shop_data after #2
        #4 create shop-db-1, it is not there after #1 #2 #3
        #5 start shop-db-1, it is not there after #4
        #6 await healthy shop-db-1 after #5
        """
    )


def test_a_lost_secret_of_a_database_is_not_made_anew() -> None:
    """A new secret would lock a stateful service out of its own data."""
    stack = stack_of({"db": {**DB, "secrets": ["password"]}})
    world = running(stack)
    world.stop("shop-db-1")
    world.remove("shop-db-1")
    path = "/srv/shop/.msctl/secrets/password"
    del world.secrets[path]
    with pytest.raises(UsageProblem) as caught:
        planned(world, stack)
    assert caught.value.message == (
        f"db: the secret {path} is missing, but volume shop_data exists and was made with it"
    )
    assert caught.value.hint == ("put the file back, or remove the data with msctl down --volumes")
