"""What `down` removes, and what it keeps, as it prints."""

from __future__ import annotations

from memory import Behaviour, MemoryEngine, World, finish, lines, planned, running, shop
from memory.stacks import stack_of

from msctl.engines.compose import labels
from msctl.request import Down, Scale, Up

STACK = stack_of(
    {"db": {"stateful": True, "volumes": ["data:/data"]}, "api": {"needs": ["db"], "replicas": 2}}
)


def test_what_needs_others_goes_before_them() -> None:
    """Containers go from the top of the needs down, then the networks; volumes with data stay."""
    world = running(STACK)
    assert str(planned(world, STACK, Down())) == lines(
        """
        #1 stop shop-api-1
        #2 remove shop-api-1 after #1
        #3 stop shop-api-2
        #4 remove shop-api-2 after #3
        #5 stop shop-db-1 after #2 #4
        #6 remove shop-db-1 after #5
        #7 remove network shop_backend after #2 #4 #6
        """
    )
    finish(MemoryEngine(world, STACK), Down())
    assert (world.containers, world.networks, list(world.volumes)) == ({}, {}, ["shop_data"])


def test_volumes_go_when_asked_for() -> None:
    """`--volumes` removes the data too, once nobody uses it."""
    world = running(STACK)
    assert str(planned(world, STACK, Down(volumes=True))) == lines(
        """
        #1 stop shop-api-1
        #2 remove shop-api-1 after #1
        #3 stop shop-api-2
        #4 remove shop-api-2 after #3
        #5 stop shop-db-1 after #2 #4
        #6 remove shop-db-1 after #5
        #7 remove network shop_backend after #2 #4 #6
        #8 remove volume shop_data after #2 #4 #6
        """
    )


def test_a_manual_scale_does_not_survive_down() -> None:
    """The intents go, so that the next `up` starts with the file's numbers."""
    world = running(STACK)
    finish(MemoryEngine(world, STACK), Scale({"api": 4}))
    finish(MemoryEngine(world, STACK), Down())
    assert list(world.volumes) == ["shop_data"]


def test_down_on_nothing_does_nothing() -> None:
    """Where nothing is up, there is nothing to remove."""
    assert str(planned(World(), STACK, Down(volumes=True))) == ""


def test_what_left_the_file_goes_too() -> None:
    """Containers that msctl made are ours, whatever the file says by now."""
    world = running(shop())
    finish(MemoryEngine(world, stack_of({"web": {}})), Down())
    assert world.containers == {}


def test_what_is_foreign_stays_and_keeps_its_network() -> None:
    """A container that is not ours stays, with the network that it is on, and `down` says so."""
    world = running(stack_of({"web": {}, "tool": {}}))
    world.disown()
    plan = planned(world, stack_of({"web": {}}), Down())
    assert str(plan) == lines(
        """
        #1 stop shop-web-1
        #2 remove shop-web-1 after #1
        """
    )
    assert plan.notes == (
        "network shop_backend is kept: shop-tool-1, which is not ours, is on it "
        "(--remove-orphans removes both)",
    )


def test_other_projects_are_not_touched() -> None:
    """Networks, volumes and containers of other projects, or of none, stay."""
    world = running(STACK)
    world.networks["other_backend"] = {labels.PROJECT: "other"}
    world.volumes["data"] = {}
    world.volumes["shop_elsewhere"] = {labels.PROJECT: "shop"}
    world.volumes["other_data"] = {labels.PROJECT: "other"}
    finish(MemoryEngine(world, STACK), Down(volumes=True))
    assert list(world.networks) == ["other_backend"]
    assert sorted(world.volumes) == ["data", "other_data", "shop_elsewhere"]


def test_containers_that_have_ended_are_removed_without_a_stop() -> None:
    """A job that is done, or a replica that died, is only removed."""
    stack = stack_of({"once": {"job": True}})
    world = World()
    world.behave("once", Behaviour(exit_code=0))
    running(stack, world)
    assert str(planned(world, stack, Down())) == lines(
        """
        #1 remove shop-once-1
        #2 remove network shop_backend after #1
        """
    )


def test_the_image_kept_for_a_rollback_goes_with_the_containers() -> None:
    """Nobody knows of it any more; a tag that leads to another image by now is left alone."""
    world = running(STACK)
    other = stack_of(
        {
            "db": {"stateful": True, "volumes": ["data:/data"]},
            "api": {"needs": ["db"], "replicas": 2, "env": {"A": "b"}},
        }
    )
    finish(MemoryEngine(world, other), Up())
    [image] = world.kept.values()
    plan = str(planned(world, other, Down()))
    assert "release image shop-api:previous after" in plan.splitlines()[-1]
    world.kept["shop-api:previous"] = "sha256:of-somebody-else"
    finish(MemoryEngine(world, other), Down())
    assert world.kept == {"shop-api:previous": "sha256:of-somebody-else"}
    finish(MemoryEngine(world, STACK), Up())
    finish(MemoryEngine(world, other), Up())
    assert world.kept == {"shop-api:previous": image}
    finish(MemoryEngine(world, other), Down())
    assert world.kept == {}
