"""Killed at any moment, the next command finds what is there and converges."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory import Behaviour, Fault, MemoryEngine, World, images_of, run_prefix, shop, up
from memory.converged import assert_converged
from memory.stacks import stack_of
from memory.strategies import NAMES, stacks

from msctl.engines.compose.steps import EmptyPin, RemoveContainer, WritePin
from msctl.model import Stack
from msctl.request import Down, Request, Restart, Scale, Up

TO_THE_END = 10**6
steps = st.integers(0, 40)
orders = st.integers(0, 2**32 - 1)
halves = st.booleans()


def machine() -> World:
    """A machine with every image that a drawn stack may name."""
    return World().have(*(f"{name}:{tag}" for name in NAMES for tag in "12"), "traefik:v3.7")


def prepare(world: World, stack: Stack) -> None:
    """Jobs end with success."""
    for name, service in stack.services.items():
        behaviour = Behaviour(exit_code=0, exits_after=0.3) if service.job else Behaviour()
        world.behave(name, behaviour)


def broken_off(
    world: World, stack: Stack, request: Request, *, after: int, order: int, half: bool
) -> None:
    """Run a request up to a kill: after some steps, or within the next one that has halves."""
    prepare(world, stack)
    engine = MemoryEngine(world, stack)
    if half:
        world.plant(Fault("kill", at=world.tried + after + 1, when="within"))
        after = TO_THE_END
    chooser = random.Random(order)
    run_prefix(engine, request, stop_after=after, choose=chooser.choice)
    world.faults.clear()


def whole(world: World, stack: Stack, request: Request | None = None, *, order: int = 0) -> None:
    """Run a request to its end, in any order that its plans allow."""
    prepare(world, stack)
    chooser = random.Random(order)
    engine = MemoryEngine(world, stack)
    assert run_prefix(engine, request or Up(), stop_after=TO_THE_END, choose=chooser.choice)


def assert_nothing_to_do(world: World, stack: Stack) -> None:
    assert [str(plan) for plan in MemoryEngine(world, stack).plans(Up())] == [""]


@given(stacks(), steps, orders, halves)
@settings(deadline=None, max_examples=60)
def test_a_first_up_killed_anywhere_is_mended_by_the_next(
    stack: Stack, after: int, order: int, half: bool
) -> None:
    """After a kill at any step of the first `up`, the next one converges and leaves nothing."""
    world = machine()
    broken_off(world, stack, Up(), after=after, order=order, half=half)
    whole(world, stack)
    assert_converged(world, stack)
    assert_nothing_to_do(world, stack)


@given(stacks(), stacks(), steps, orders, halves)
@settings(deadline=None, max_examples=60)
def test_an_update_killed_anywhere_is_mended_by_the_next_up(
    before: Stack, stack: Stack, after: int, order: int, half: bool
) -> None:
    """After a kill at any step from one stack to another, `up` ends in exactly the other."""
    world = machine()
    whole(world, before)
    broken_off(world, stack, Up(), after=after, order=order, half=half)
    whole(world, stack)
    assert_converged(world, stack)
    assert_nothing_to_do(world, stack)


@given(stacks(), stacks(), steps, orders, halves)
@settings(deadline=None, max_examples=60)
def test_an_update_killed_anywhere_can_be_taken_back(
    before: Stack, stack: Stack, after: int, order: int, half: bool
) -> None:
    """After a kill at any step from one stack to another, `up` of the first ends in the first."""
    world = machine()
    whole(world, before)
    broken_off(world, stack, Up(), after=after, order=order, half=half)
    whole(world, before)
    assert_converged(world, before)
    assert_nothing_to_do(world, before)


@given(st.integers(1, 5), st.integers(1, 5), steps, orders, halves)
@settings(deadline=None, max_examples=60)
def test_a_scale_killed_anywhere_is_finished_by_the_next_up(
    first: int, count: int, after: int, order: int, half: bool
) -> None:
    """Once a scale is recorded the next `up` finishes it, however it was broken off."""
    stack, world = shop(), World().have(*images_of(shop()))
    whole(world, stack)
    whole(world, stack, Scale({"api": first}))
    broken_off(world, stack, Scale({"api": count}), after=after, order=order, half=half)
    recorded = MemoryEngine(world, stack).observe().intent("api")
    assert recorded is not None
    assert recorded.replicas in (first, count)
    whole(world, stack)
    assert_converged(world, stack, api=recorded.replicas)
    assert_nothing_to_do(world, stack)


@given(stacks(), steps, orders, halves)
@settings(deadline=None, max_examples=60)
def test_a_down_killed_anywhere_is_finished_by_the_next(
    stack: Stack, after: int, order: int, half: bool
) -> None:
    """After a kill at any step of `down --volumes`, the next one leaves nothing of the project."""
    world = machine()
    whole(world, stack)
    broken_off(world, stack, Down(volumes=True), after=after, order=order, half=half)
    whole(world, stack, Down(volumes=True))
    assert (world.containers, world.networks, world.volumes) == ({}, {}, {})


@given(stacks(), steps, orders, halves)
@settings(deadline=None, max_examples=60)
def test_a_down_killed_anywhere_is_undone_by_up(
    stack: Stack, after: int, order: int, half: bool
) -> None:
    """After a kill at any step of `down`, an `up` brings the whole stack back."""
    world = machine()
    whole(world, stack)
    broken_off(world, stack, Down(), after=after, order=order, half=half)
    whole(world, stack)
    assert_converged(world, stack)
    assert_nothing_to_do(world, stack)


@st.composite
def damages(draw: st.DrawFn) -> list[tuple[str, int]]:
    """What people and machines do to a stack behind msctl's back."""
    kinds = st.sampled_from(["kill", "remove", "stop all", "prune networks", "restart engine"])
    return draw(st.lists(st.tuples(kinds, st.integers(0, 9)), min_size=1, max_size=4))


def damage(world: World, kind: str, which: int) -> None:
    names = sorted(world.containers)
    if kind == "kill" and names:
        world.kill(names[which % len(names)])
    elif kind == "remove" and names:
        name = names[which % len(names)]
        world.stop(name)
        world.remove(name)
    elif kind in ("stop all", "restart engine"):
        for name in names:
            world.stop(name)
    elif kind == "prune networks":
        for name in list(world.networks):
            if not any(c.running and name in c.networks for c in world.containers.values()):
                del world.networks[name]


@given(stacks(), damages(), orders)
@settings(deadline=None, max_examples=60)
def test_up_mends_whatever_was_done_to_the_stack(
    stack: Stack, found: list[tuple[str, int]], order: int
) -> None:
    """Containers killed or removed and networks pruned by others are brought back by `up`."""
    world = machine()
    whole(world, stack)
    for kind, which in found:
        damage(world, kind, which)
    whole(world, stack, order=order)
    assert_converged(world, stack)
    assert_nothing_to_do(world, stack)


@pytest.mark.parametrize("there", range(1, 6))
@given(steps, orders, halves)
@settings(deadline=None, max_examples=25)
def test_a_takeover_killed_anywhere_keeps_the_running_count(
    there: int, after: int, order: int, half: bool
) -> None:
    """However a takeover of another number of replicas is broken off, that number stays."""
    old = stack_of({"api": {"replicas": there, "env": {"A": "old"}}})
    new = stack_of({"api": {"replicas": 2, "env": {"A": "new"}}})
    world = World().have("api:1")
    whole(world, old)
    world.disown()
    broken_off(world, new, Up(), after=after, order=order, half=half)
    whole(world, new)
    assert_converged(world, new, api=there)
    assert up(MemoryEngine(world, new)) == ""


@pytest.mark.parametrize("request_", [Up(), Scale({"web": 2}), Scale({"web": 4}), Restart("web")])
def test_a_replica_that_a_killed_msctl_was_stopping_gets_no_requests(request_: Request) -> None:
    """The engine goes on with the stop: until the replica is gone, the pin stays in force."""
    stack, world = shop(), World().have(*images_of(shop()))
    whole(world, stack)
    whole(world, stack, Scale({"web": 3}))
    world.plant(Fault("kill", verb="stop"))
    assert not run_prefix(MemoryEngine(world, stack), Scale({"web": 2}), stop_after=TO_THE_END)
    world.faults.clear()
    leaving = MemoryEngine(world, stack).observe().of("web")[2]
    assert leaving.healthy
    (plan,) = MemoryEngine(world, stack).plans(request_)
    behind: dict[int, frozenset[int]] = {}
    for node in plan:
        behind[node.id] = node.after.union(*(behind[step] for step in node.after))
        if isinstance(node.step, WritePin):
            assert leaving.name not in {server.container for server in node.step.servers}
    (gone,) = (
        n.id for n in plan if isinstance(n.step, RemoveContainer) and n.step.target == leaving.name
    )
    last = [n for n in plan if isinstance(n.step, EmptyPin)][-1]
    assert gone in behind[last.id]


def test_a_pin_from_before_the_engine_restarted_costs_no_replica() -> None:
    """The engine gave out addresses anew: that the pin leads to no replica says nothing of them."""
    stack, world = shop(), World().have(*images_of(shop()))
    whole(world, stack)
    whole(world, stack, Scale({"web": 3}))
    world.plant(Fault("kill", verb="stop"))
    assert not run_prefix(MemoryEngine(world, stack), Scale({"web": 2}), stop_after=TO_THE_END)
    world.faults.clear()
    for number, container in enumerate(world.containers.values()):
        container.networks = dict.fromkeys(container.networks, f"10.99.0.{number}")
    (plan,) = MemoryEngine(world, stack).plans(Up())
    gone = [node.step.target for node in plan if isinstance(node.step, RemoveContainer)]
    assert gone == ["shop-web-3"]  # two shall be
    whole(world, stack)
    assert world.pins == {}


@pytest.mark.parametrize("after", range(1, 16))
@pytest.mark.parametrize("order", range(4))
def test_a_pin_is_in_force_before_it_is_emptied(after: int, order: int) -> None:
    """Also where all new replicas are there, and only wait to become healthy: a service gets its
    first route, and msctl is killed on the way."""
    api = {"port": 80, "routes": ["/api"]}
    before = stack_of({"alpha": {"port": 81}, "beta": api})
    stack = stack_of({"alpha": {"port": 81, "routes": ["/"], "replicas": 3}, "beta": api})
    world = machine()
    whole(world, before)
    broken_off(world, stack, Up(), after=after, order=order, half=False)
    whole(world, stack, order=order)
    assert_converged(world, stack)
