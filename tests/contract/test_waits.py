"""When every engine says that a wait is over, and when that it never will be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from machines import CHECK, Site
from memory import Recorder

from msctl.engines.compose.steps import (
    AwaitCheck,
    AwaitCompleted,
    AwaitHealthy,
    StartContainer,
)
from msctl.errors import StepFailed
from msctl.plan import Draft, Node, Outcome, Wait
from msctl.state import Health

Make = Callable[..., Site]
THERE = ("create network", "create volume", "create")


def healthy(
    site: Site, service: str, timeout: float = 60.0, *, checked: bool, number: int = 1
) -> AwaitHealthy:
    return AwaitHealthy(
        target=site.name(service, number),
        service=service,
        timeout=timeout,
        checked=checked,
        version=site.desired.revisions[service].hash,
    )


SELDOM = {
    "process": "checked",
    "health": {**CHECK, "interval": "10m"},
    "x-compose": {"healthcheck": {"start_interval": "10m"}},
}
"""A service that is ready soon, which its engine finds out late."""


def check(site: Site, timeout: float = 60.0, *, filled: frozenset[str] = frozenset()) -> AwaitCheck:
    return AwaitCheck(
        target=site.name("web"),
        service="web",
        timeout=timeout,
        checked=True,
        version=site.desired.revisions["web"].hash,
        filled=filled,
    )


def completed(site: Site, service: str, timeout: float = 60.0) -> AwaitCompleted:
    return AwaitCompleted(target=site.name(service), service=service, timeout=timeout)


def failure(outcome: Outcome) -> StepFailed:
    """The one failure, with no other."""
    (error,) = outcome.failures.values()
    assert isinstance(error, StepFailed)
    return error


@dataclass
class KillWhenWaiting(Recorder):
    """Kills a container as soon as somebody waits for it."""

    site: Site | None = None

    def started(self, node: Node) -> None:
        if isinstance(node.step, Wait) and self.site is not None:
            self.site.bench.machine.kill(node.step.target)


@pytest.mark.far
def test_health_is_seen_as_it_comes(site: Make) -> None:
    """A container with a health check is starting, and healthy when the wait for it ends."""
    web = site(web="checked")
    web.do(*THERE, "start")
    assert web.only("web").health is Health.STARTING
    assert not web.only("web").healthy
    assert web.wait(healthy(web, "web", checked=True)).failures == {}
    assert web.only("web").health is Health.HEALTHY


def test_what_is_healthy_already_is_not_waited_for(site: Make) -> None:
    """A wait that begins late ends at once."""
    web = site(web="checked")
    web.do(*THERE)
    web.start_and_wait(healthy(web, "web", checked=True))
    assert web.wait(healthy(web, "web", checked=True)).done == {1}


@pytest.mark.far
@pytest.mark.timeout(60)
def test_a_check_passes_before_the_engine_runs_it(site: Make) -> None:
    """What needs the container need not wait for its engine, which calls it healthy later."""
    web = site(web=SELDOM)
    web.do(*THERE)
    assert web.start_and_wait(check(web)).failures == {}
    assert web.only("web").health is Health.STARTING


@pytest.mark.timeout(60)
def test_a_check_that_fails_has_not_passed(site: Make) -> None:
    """It is told as what does not get healthy is."""
    web = site(web="ill")
    web.do(*THERE)
    error = failure(web.start_and_wait(check(web, 1.0)))
    assert error.message.startswith(f"{web.name('web')} did not become healthy within 1s")


@pytest.mark.timeout(60)
def test_a_check_that_fails_ends_with_its_container(site: Make) -> None:
    web = site(web="ill")
    web.do(*THERE)
    error = failure(web.start_and_wait(check(web, 600.0), KillWhenWaiting(site=web)))
    assert error.message == f"{web.name('web')} ended with status 137"


@pytest.mark.timeout(60)
def test_who_sets_up_its_data_is_checked_by_its_engine_alone(site: Make) -> None:
    """A database answers for a moment then, and starts once more."""
    web = site(web={**SELDOM, "volumes": ["data:/data"]})
    web.do(*THERE)
    volume = f"{web.stack.name}_data"
    assert failure(web.start_and_wait(check(web, 3.0))).message.endswith("; it was left running")
    assert web.wait(check(web, filled=frozenset({volume}))).failures == {}


@pytest.mark.timeout(60)
def test_without_a_health_check_it_has_to_keep_running(site: Make) -> None:
    """A container without a health check counts after a moment, though nothing is reported then."""
    web = site(web="steady")
    web.do(*THERE)
    assert web.start_and_wait(healthy(web, "web", 600.0, checked=False)).failures == {}


@pytest.mark.timeout(60)
def test_one_replica_shows_for_all_that_a_version_keeps_running(site: Make) -> None:
    """The second one, started later, counts at once."""
    web = site(web={"replicas": 2})
    web.do(*THERE)
    draft, behind = Draft(), list[int]()
    for number, seconds in ((1, 600.0), (2, 0.1)):
        wait = healthy(web, "web", seconds, checked=False, number=number)
        start = StartContainer(target=wait.target, service="web")
        behind = [draft.add(wait, [draft.add(start, behind)])]
    assert web.run(draft.plan()).failures == {}


@pytest.mark.timeout(60)
def test_a_version_that_ends_at_once_has_nothing_to_show(site: Make) -> None:
    """Each of its replicas is told, though another version of the service has kept running."""
    web = site(web={"process": "failing", "replicas": 2}, other="steady")
    web.do(*THERE)
    draft, behind = Draft(), list[int]()
    for wait in (
        replace(healthy(web, "other", checked=False), service="web"),
        *(healthy(web, "web", checked=False, number=number) for number in (1, 2)),
    ):
        start = StartContainer(target=wait.target, service="web")
        behind.append(draft.add(wait, [draft.add(start, behind[:1])]))
    outcome = web.run(draft.plan())
    assert sorted(outcome.failures) == behind[1:]


def test_a_container_that_does_not_get_healthy_is_named(site: Make) -> None:
    """When the deadline comes, the error says which container, and that it was left running."""
    web = site(web="ill")
    web.do(*THERE)
    error = failure(web.start_and_wait(healthy(web, "web", 1.0, checked=True)))
    assert error.message.startswith(f"{web.name('web')} did not become healthy within 1s")
    assert error.message.endswith("; it was left running")
    assert error.hint == "msctl logs web"
    assert web.only("web").running


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("restart", "checked"), [("no", True), ("no", False), ("always", False), ("on-failure", True)]
)
def test_a_container_that_ends_at_once_is_not_waited_for(
    site: Make, restart: str, checked: bool
) -> None:
    """Exit status and last lines are told long before the deadline, also where it is restarted."""
    web = site(
        web={"process": "failing", "restart": restart, **({"health": CHECK} if checked else {})}
    )
    web.do(*THERE)
    error = failure(web.start_and_wait(healthy(web, "web", 600.0, checked=checked)))
    assert error.message.startswith(f"{web.name('web')} ended with status 3")
    assert error.hint == "msctl logs web"
    assert error.log[-1] == "something is wrong"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("process", ["ill", "steady"])
def test_a_container_that_dies_while_it_is_waited_for_ends_the_wait(
    site: Make, process: str
) -> None:
    """Death is seen by whoever waits for health."""
    web = site(web=process)
    web.do(*THERE)
    wait = healthy(web, "web", 600.0, checked=process == "ill")
    error = failure(web.start_and_wait(wait, KillWhenWaiting(site=web)))
    assert error.message == f"{web.name('web')} ended with status 137"


@pytest.mark.far
def test_a_container_that_ended_before_anybody_waited_ends_the_wait(site: Make) -> None:
    """What died between the plan and the wait is not waited for until the deadline."""
    web = site(web="ill")
    web.do(*THERE, "start")
    web.bench.machine.kill(web.name("web"))
    error = failure(web.wait(healthy(web, "web", 2.0, checked=True)))
    assert error.message == f"{web.name('web')} ended with status 137"


def test_a_job_is_waited_for_until_it_ends(site: Make) -> None:
    """A job that ends with status 0 is done."""
    job = site(migrate="job")
    job.do(*THERE)
    assert job.start_and_wait(completed(job, "migrate")).failures == {}
    replica = job.only("migrate")
    assert (replica.state, replica.exit_code) == ("exited", 0)


def test_a_job_that_ended_before_anybody_waited_is_done(site: Make) -> None:
    """What ended between the plan and the wait counts."""
    job = site(migrate="job")
    job.do(*THERE, "start")
    for _ in range(2):
        assert job.wait(completed(job, "migrate")).failures == {}


@pytest.mark.far
def test_a_job_that_fails_is_told_with_its_last_lines(site: Make) -> None:
    """A job with another status than 0 has failed."""
    job = site(migrate={"process": "failing", "job": True})
    job.do(*THERE)
    error = failure(job.start_and_wait(completed(job, "migrate")))
    assert error.message == f"job {job.name('migrate')} failed with status 3"
    assert error.log == ("something is wrong",)


def test_a_job_that_does_not_end_is_told(site: Make) -> None:
    """A job has a deadline too."""
    job = site(migrate="steady")
    job.do(*THERE)
    error = failure(job.start_and_wait(completed(job, "migrate", 1.0)))
    assert error.message == f"job {job.name('migrate')} did not end within 1s"
