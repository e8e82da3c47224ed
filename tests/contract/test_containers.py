"""What every engine does with containers."""

from __future__ import annotations

import pytest
from machines import Make

from msctl.engines.compose.steps import (
    CreateContainer,
    RemoveContainer,
    StartContainer,
    StopContainer,
)
from msctl.errors import StepFailed
from msctl.state import Health

STANDING = ("create network", "create volume", "create")


@pytest.mark.far
def test_a_created_container_is_seen_with_all_that_it_was_made_from(site: Make) -> None:
    """Before its first start it is ours, has its number and hash, and is on its networks."""
    web = site(web="steady")
    web.do(*STANDING)
    replica = web.only("web")
    revision = web.engine.desired(web.engine.observe()).revisions["web"]
    assert (replica.name, replica.number, replica.state) == (web.name("web"), 1, "created")
    assert (replica.ours, replica.oneoff, replica.exit_code) == (True, False, None)
    assert (replica.config_hash, replica.revision) == (revision.hash, revision.to_json())
    assert replica.image_id == web.engine.observe().images[revision.image].id
    assert list(replica.addresses) == list(revision.network_names())


def test_a_started_container_runs_and_has_an_address(site: Make) -> None:
    """Without a health check, running is healthy."""
    web = site(web="steady")
    web.do(*STANDING, "start")
    replica = web.only("web")
    assert (replica.state, replica.health, replica.healthy) == ("running", Health.NONE, True)
    assert all(replica.addresses.values())


def test_a_stopped_container_is_seen_as_ended(site: Make) -> None:
    """A stop ends the process and keeps the container; a second stop changes nothing."""
    web = site(web="steady")
    web.do(*STANDING, "start")
    stop = StopContainer(target=web.name("web"), grace=5.0)
    web.perform(stop)
    replica = web.only("web")
    assert (replica.state, replica.running, replica.healthy) == ("exited", False, False)
    assert replica.exit_code is not None
    web.perform(stop)
    assert web.only("web").state == "exited"


@pytest.mark.far
def test_a_running_container_is_not_removed(site: Make) -> None:
    """Nothing is removed that still runs; what has ended is removed for good."""
    web = site(web="steady")
    web.do(*STANDING, "start")
    remove = RemoveContainer(target=web.name("web"))
    with pytest.raises(StepFailed, match="cannot remove"):
        web.perform(remove)
    assert web.only("web").running
    web.perform(StopContainer(target=web.name("web"), grace=5.0))
    web.perform(remove)
    assert web.engine.observe().of("web") == ()


def test_stopping_and_removing_what_is_gone_is_done_already(site: Make) -> None:
    """Whoever removed it, a container that is not there needs no removal."""
    web = site(web="steady")
    web.perform(StopContainer(target=web.name("web"), grace=5.0))
    web.perform(RemoveContainer(target=web.name("web")))
    assert web.engine.observe().containers == ()


@pytest.mark.far
def test_what_is_not_there_cannot_be_started(site: Make) -> None:
    """A start of a container that somebody removed fails."""
    web = site(web="steady")
    with pytest.raises(StepFailed, match=f"cannot start {web.name('web')}"):
        web.perform(StartContainer(target=web.name("web")))


def test_starting_what_runs_changes_nothing(site: Make) -> None:
    """A second start finds the container as it is."""
    web = site(web="steady")
    web.do(*STANDING, "start")
    before = web.only("web")
    web.perform(StartContainer(target=web.name("web")))
    assert web.only("web") == before


@pytest.mark.far
def test_a_name_that_somebody_else_has_is_not_taken(site: Make) -> None:
    """A container that is not the one to be made keeps its name, and the step says so."""
    web = site(web="steady")
    web.bench.machine.occupy(web.name("web"))
    with pytest.raises(StepFailed, match="another container has that name"):
        web.do(*STANDING)
    assert web.engine.observe().containers == ()


def test_creating_the_same_container_again_finds_it(site: Make) -> None:
    """A create whose answer was lost may be done again."""
    web = site(web="steady")
    create = [step for step in web.steps() if isinstance(step, CreateContainer)]
    web.do(*STANDING)
    before = web.only("web")
    web.perform(create[0])
    assert web.only("web") == before


def test_a_container_on_a_network_that_is_not_there_does_not_come_up(site: Make) -> None:
    """Somewhere between create and start, a missing network is an error."""
    web = site(web="steady")
    with pytest.raises(StepFailed, match="network"):
        web.do("create", "start")
    assert not any(replica.running for replica in web.engine.observe().containers)


def test_a_container_joins_all_its_networks(site: Make) -> None:
    """A service on two networks has an address in each."""
    web = site(web={"networks": ["one", "two"]})
    web.do(*STANDING, "start")
    replica = web.only("web")
    assert sorted(replica.addresses) == [f"{web.stack.name}_one", f"{web.stack.name}_two"]
    assert all(replica.addresses.values())


def test_a_container_that_died_is_seen_as_ended(site: Make) -> None:
    """A process that is killed behind msctl's back leaves a container that does not run."""
    web = site(web="steady")
    web.do(*STANDING, "start")
    web.bench.machine.kill(web.name("web"))
    replica = web.only("web")
    assert (replica.state, replica.exit_code, replica.healthy) == ("exited", 137, False)


@pytest.mark.far
def test_detail_is_told_when_it_is_asked_for(site: Make) -> None:
    """Start time, restarts and limits cost a call for each container, so they are asked for."""
    web = site(web={"resources": {"memory": "64M"}})
    web.do(*STANDING, "start")
    assert web.only("web").detail is None
    (replica,) = web.engine.observe(detail=True).of("web")
    assert replica.detail is not None
    assert (replica.detail.restarts, replica.detail.oom_killed) == (0, False)
    assert replica.detail.memory_limit == 64 << 20
    assert replica.detail.started_at is not None
