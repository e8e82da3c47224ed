"""What every engine does with networks, volumes, intents, ports, images and logs."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from machines import NO_SUCH_IMAGE, Bench, MemoryMachine, Site
from memory import each_run

from msctl.engines.compose import labels
from msctl.engines.compose.steps import (
    ProvideImage,
    RecordIntent,
    RemoveNetwork,
    RemoveVolume,
    StartContainer,
)
from msctl.errors import ImageUnavailable, MsctlError, StepFailed
from msctl.request import Down, Scale, Up
from msctl.state import Usage

Make = Callable[..., Site]
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


# Images


def provide(reference: str, **more: object) -> ProvideImage:
    return ProvideImage(target=reference, service="web", **more)  # type: ignore[arg-type]


def test_an_image_that_is_present_is_used(site: Make) -> None:
    """Nothing is asked of a registry for what is there."""
    web = site(web="steady")
    before = web.engine.observe().images
    web.perform(provide(web.stack.services["web"].image))
    assert web.engine.observe().images == before


@pytest.mark.far
def test_an_image_that_cannot_be_had_is_an_error(site: Make) -> None:
    """Not there, not to be pulled and without a build: the error names the image."""
    web = site(web={"image": NO_SUCH_IMAGE})
    with pytest.raises(ImageUnavailable, match=NO_SUCH_IMAGE):
        web.perform(provide(NO_SUCH_IMAGE))
    assert web.engine.observe().images == {}


def test_an_optional_image_that_cannot_be_had_is_left_out(site: Make) -> None:
    """The plan goes on without it, and says so."""
    web = site(web={"image": NO_SUCH_IMAGE, "optional": True}, api="steady")
    plans = list(_fulfilled(web))
    assert plans[-1].startswith("web is left out: ")
    assert {replica.service for replica in web.engine.observe().containers} == {"api"}


def _fulfilled(site: Site) -> Iterator[str]:
    """The notes of each plan of an `up`."""
    for plan, outcome in each_run(site.engine, Up(), site.bench.machine.clock):
        assert outcome.failures == {}
        yield "\n".join(plan.notes)


def test_a_container_without_image_is_not_created(site: Make) -> None:
    """An image that vanished since the plan was made fails the create."""
    web = site(web="steady")
    (create,) = [step for step in web.steps() if step.verb == "create"]
    body = {**create.body, "Image": NO_SUCH_IMAGE}  # type: ignore[attr-defined]
    web.do("create network")
    with pytest.raises(StepFailed, match="No such image"):
        web.perform(type(create)(**{**vars(create), "body": body}))
    assert web.engine.observe().containers == ()


@pytest.mark.far
def test_an_image_is_built_where_it_cannot_be_pulled(bench: Bench, tmp_path: Path) -> None:
    """A build gives the image its reference, and a stand-in is known by its label."""
    reference = f"{NO_SUCH_IMAGE}-{bench.project}"
    (tmp_path / "Dockerfile").write_text(
        "FROM debian:bookworm-slim\n"
        f"LABEL {labels.STAND_IN}=true {labels.PROJECT}={bench.project}\n"
    )
    web = bench.site({"web": {"image": reference}})
    web.perform(provide(reference, build={"context": str(tmp_path)}))
    image = web.engine.observe().images[reference]
    assert image.health_check is False
    if not isinstance(bench.machine, MemoryMachine):
        assert image.stand_in


# Logs


def test_logs_are_what_the_containers_wrote(site: Make) -> None:
    """Lines come in the order of their time, of the services that were named."""
    both = site(web="steady", once="job")
    both.fulfil()
    lines = [(line.replica, line.text) for line in both.engine.logs(("web",))]
    assert lines == [(both.name("web"), "first"), (both.name("web"), "second")]
    everything = {(line.replica, line.text) for line in both.engine.logs(())}
    assert everything == {*lines, (both.name("once"), "migrated")}
    assert all(line.at is not None for line in both.engine.logs(()))


@pytest.mark.parametrize(("tail", "wanted"), [(0, []), (1, ["second"]), (9, ["first", "second"])])
def test_logs_can_be_cut_to_their_end(site: Make, tail: int, wanted: list[str]) -> None:
    """`tail` is the number of last lines of each replica."""
    web = site(web="steady")
    web.fulfil()
    assert [line.text for line in web.engine.logs(("web",), tail=tail)] == wanted


@pytest.mark.far
def test_logs_can_be_cut_to_what_came_since(site: Make) -> None:
    """`since` leaves out what was written before, to a part of a second."""
    web = site(web="steady")
    web.fulfil()
    last = [line.at for line in web.engine.logs(("web",))][-1]
    assert last is not None
    moment = timedelta(milliseconds=20)

    def since(at: datetime) -> list[str]:
        return [line.text for line in web.engine.logs(("web",), since=at)]

    assert since(last - timedelta(seconds=30)) == ["first", "second"]
    assert since(last - moment)[-1] == "second"
    assert since(last + moment) == []


@pytest.mark.far
def test_logs_are_followed(site: Make) -> None:
    """From the last lines on, as they come, until nobody asks any more."""
    web = site(web="steady")
    web.fulfil()
    with closing(web.engine.logs((), follow=True, tail=1)) as lines:
        assert next(lines).text == "second"


@pytest.mark.far
def test_what_a_container_takes_of_the_machine_is_told(site: Make) -> None:
    """Of the running ones, by id, each time that it is asked."""
    both = site(web="steady", once="job")
    both.fulfil()
    web = both.only("web")
    if isinstance(both.bench.machine, MemoryMachine):
        both.bench.machine.world.usages[web.name] = Usage(0.5, 1 << 20)
    for _ in range(2):
        found = both.engine.usage(both.engine.observe())
        assert set(found) == {web.id}
        assert (found[web.id].memory or 0) > 0
        assert found[web.id].cpus is not None


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
