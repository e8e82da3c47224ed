"""What every engine does with networks, volumes, intents and ports."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from machines import Bench, Make, MemoryMachine, Site

from msctl.engines.compose import labels
from msctl.engines.compose.steps import (
    RecordIntent,
    RemoveNetwork,
    RemoveVolume,
    StartContainer,
)
from msctl.errors import MsctlError, StepFailed
from msctl.request import Down, Scale

STANDING = ("create network", "create volume", "create")


def test_networks_and_volumes_belong_to_the_project(site: Make) -> None:
    """What msctl makes carries the project's label, by which it is known again."""
    web = site(web={"volumes": ["data:/data"]})
    web.do("create network", "create volume")
    state, project = web.engine.observe(), web.stack.name
    assert state.networks[f"{project}_backend"].project == project
    assert state.volumes[f"{project}_data"].project == project


@pytest.mark.far
def test_making_a_network_or_volume_again_changes_nothing(site: Make) -> None:
    """A step whose answer was lost may be done again, without a second network of that name."""
    web = site(web={"volumes": ["data:/data"]})
    steps = [step for step in web.steps() if step.verb.startswith("create ")]
    for step in steps * 2:
        web.perform(step)
    for name in (f"{web.stack.name}_backend", f"{web.stack.name}_data"):
        remove = RemoveNetwork if name.endswith("backend") else RemoveVolume
        web.perform(remove(target=name))
    state = web.engine.observe()
    assert f"{web.stack.name}_backend" not in state.networks
    assert f"{web.stack.name}_data" not in state.volumes


def test_a_network_in_use_is_not_removed(site: Make) -> None:
    """A network stays while a container that runs is on it."""
    web = site(web="steady")
    web.do(*STANDING, "start")
    with pytest.raises(StepFailed, match=web.name("web")):
        web.perform(RemoveNetwork(target=f"{web.stack.name}_backend"))
    assert f"{web.stack.name}_backend" in web.engine.observe().networks


@pytest.mark.far
def test_a_volume_in_use_is_not_removed(site: Make) -> None:
    """A volume stays while a container, running or not, has it mounted."""
    web = site(web={"volumes": ["data:/data"]})
    web.do(*STANDING)
    with pytest.raises(StepFailed, match="in use"):
        web.perform(RemoveVolume(target=f"{web.stack.name}_data"))
    assert f"{web.stack.name}_data" in web.engine.observe().volumes


def test_removing_a_network_or_volume_that_is_gone_is_done_already(site: Make) -> None:
    """Whoever removed it, what is not there needs no removal."""
    web = site(web="steady")
    web.perform(RemoveNetwork(target=f"{web.stack.name}_backend"))
    web.perform(RemoveVolume(target=f"{web.stack.name}_data"))
    assert f"{web.stack.name}_backend" not in web.engine.observe().networks


# Intents


def intent(site: Site, generation: int, count: int, replaces: tuple[str, ...] = ()) -> RecordIntent:
    project = site.stack.name
    return RecordIntent(
        target=f"web = {count}",
        volume=f"{project}_msctl-web-{generation}",
        labels={
            labels.PROJECT: project,
            labels.INTENT: str(count),
            labels.INTENT_SERVICE: "web",
            labels.INTENT_CAUSE: "scale",
            labels.INTENT_GENERATION: str(generation),
        },
        replaces=replaces,
    )


def test_an_intent_is_read_as_it_was_written(site: Make) -> None:
    """Service, number, cause and generation come back."""
    web = site(web="steady")
    web.perform(intent(web, 1, 4))
    found = web.engine.observe().intent("web")
    assert found is not None
    assert (found.service, found.replicas, found.cause, found.generation) == ("web", 4, "scale", 1)
    assert web.engine.observe().intent("api") is None


@pytest.mark.far
def test_a_new_intent_replaces_the_old_one(site: Make) -> None:
    """Once the new generation is there, the old one goes."""
    web = site(web="steady")
    web.perform(intent(web, 1, 4))
    web.perform(intent(web, 2, 5, replaces=(f"{web.stack.name}_msctl-web-1",)))
    assert [found.replicas for found in web.engine.observe().intents] == [5]


def test_of_several_intents_the_highest_generation_wins(site: Make) -> None:
    """Where a kill left two generations, the younger one is in force, also by number from 10 on."""
    web = site(web="steady")
    web.perform(intent(web, 10, 3))
    web.perform(intent(web, 9, 5))
    found = web.engine.observe().intent("web")
    assert found is not None
    assert (found.replicas, found.generation) == (3, 10)


# Ports


@pytest.fixture
def taken(bench: Bench) -> Iterator[int]:
    """A port of this machine that a process holds."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = int(holder.getsockname()[1])
        if isinstance(bench.machine, MemoryMachine):
            bench.machine.world.processes[port, "tcp"] = "pytest"
        yield port


@pytest.mark.far
def test_a_port_that_a_process_holds_is_found(site: Make, taken: int) -> None:
    """`up` names the port and who holds it before anything is made. On another machine nobody sees
    processes from here: there the engine refuses to start the container."""
    web = site(web={"ports": [f"127.0.0.1:{taken}:80"]})
    if web.bench.machine.near:
        with pytest.raises(
            MsctlError, match=f"web publishes port 127.0.0.1:{taken}/tcp, which is taken"
        ):
            web.steps()
        assert web.engine.observe().containers == ()
        return
    web.do(*STANDING)
    with pytest.raises(StepFailed, match=f"{taken}.*already in use"):
        web.do("start")
    assert not web.only("web").running


@pytest.fixture
def free() -> int:
    """A port that nobody holds just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_port_that_another_project_publishes_is_found(bench: Bench, free: int) -> None:
    """`up` names the container that publishes the port."""
    one = bench.site({"web": {"ports": [f"127.0.0.1:{free}:80"]}})
    one.fulfil()
    two = Bench(bench.machine, f"{bench.project}-other").site(
        {"site": {"ports": [f"127.0.0.1:{free}:80"]}}
    )
    with pytest.raises(MsctlError, match=f"taken by container {one.name('web')}"):
        two.steps()


def test_a_stacks_own_ports_are_no_obstacle(site: Make, free: int) -> None:
    """A second `up` of what publishes a port has nothing to do."""
    web = site(web={"ports": [f"127.0.0.1:{free}:80"]})
    web.fulfil()
    assert web.fulfil() == [""]


def test_a_port_that_is_taken_meanwhile_fails_the_start(site: Make, free: int) -> None:
    """Between plan and start a port may be lost; the step that needs it says so."""
    both = site(one={"ports": [f"127.0.0.1:{free}:80"]}, two={"ports": [f"127.0.0.1:{free}:80"]})
    both.do(*STANDING)
    both.perform(StartContainer(target=both.name("one")))
    with pytest.raises(StepFailed, match=r"port .*already allocated"):
        both.perform(StartContainer(target=both.name("two")))
    assert not both.only("two").running


# All of it


@pytest.mark.far
def test_a_stack_comes_up_scales_and_goes_without_a_trace(site: Make) -> None:
    """Up, a second up, scales and down end as their plans say, on every engine."""
    shop = site(
        db={"process": "checked", "stateful": True, "volumes": ["data:/data"]},
        migrate={"process": "job", "needs": ["db"]},
        web={"process": "checked", "needs": ["migrate"], "replicas": 2},
    )
    assert shop.fulfil() != [""]
    assert shop.fulfil() == [""]
    shop.fulfil(Scale({"web": 3}))
    assert [replica.healthy for replica in shop.engine.observe().of("web")] == [True] * 3
    assert shop.fulfil() == [""]
    shop.fulfil(Scale({"web": 1}))
    assert [replica.name for replica in shop.engine.observe().of("web")] == [shop.name("web")]
    shop.fulfil(Down(volumes=True))
    state = shop.engine.observe()
    assert state.containers == ()
    assert not [name for name in state.networks if name.startswith(f"{shop.stack.name}_")]
    assert not [name for name in state.volumes if name.startswith(f"{shop.stack.name}_")]
