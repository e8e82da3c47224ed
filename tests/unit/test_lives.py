"""What is known of containers while a plan runs, by an engine that loses events."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from memory import Recorder

from msctl.engines.compose.api.client import Client, EngineFault
from msctl.engines.compose.observing.observe import Observer
from msctl.engines.compose.steps import AwaitCompleted, AwaitHealthy
from msctl.engines.compose.watching import lives, watch
from msctl.engines.compose.watching.lives import Lives
from msctl.engines.compose.watching.watch import ContainerWatch
from msctl.errors import EngineUnreachable, MsctlError, StepFailed
from msctl.execute import execute
from msctl.plan import Draft, Outcome, Step, Wait
from msctl.state import Health

NAME = "shop-web-1"


class Events:
    """A stream of events, which can break."""

    def __init__(self) -> None:
        self.sent: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.sent.get, None)

    def close(self) -> None:
        self.sent.put(None)


class Engine:
    """An engine with one container, which tells of a change only when it is asked to."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {"Status": "created"}
        self.id = "one"
        self.there = True
        self.away = False
        self.streams: list[Events] = []
        self.within: Callable[[], None] = lambda: None
        """What happens while it answers."""

    def be(self, status: str, health: str | None = None, code: int = 0) -> None:
        self.state = {
            "Status": status,
            "Running": status == "running",
            "ExitCode": code,
            **({"Health": {"Status": health}} if health else {}),
        }

    def tell(self, action: str, **attributes: str) -> None:
        actor = {"ID": self.id, "Attributes": {"name": NAME, **attributes}}
        self.streams[-1].sent.put({"Actor": actor, "Action": action})

    # As `Client`, and the API that it hands out

    def open_stream(self, request: Callable[[Any], Any]) -> Events:  # noqa: ARG002
        if self.away:
            raise EngineUnreachable("nobody there")
        self.streams.append(Events())
        return self.streams[-1]

    def call(self, request: Callable[[Any], Any], *_: object) -> Any:
        return request(self)

    def inspect_container(self, name: str) -> dict[str, Any]:  # noqa: ARG002
        if self.away:
            raise EngineUnreachable("nobody there")
        if not self.there:
            raise EngineFault("no such container", 404)
        found = {"Id": self.id, "State": self.state}
        self.within()
        return found

    def logs(self, *_: object, **__: object) -> bytes:
        return b""

    # As what performs a plan

    def perform(self, step: Step, tell: Callable[[str], None]) -> None:
        raise NotImplementedError

    def watch(self, changed: Callable[[], None]) -> ContainerWatch:
        client = cast("Client", self)
        return ContainerWatch(client, Observer(client, "shop", None), cast("Any", None), changed)

    def wait(self, wait: Wait) -> Outcome:
        draft = Draft()
        draft.add(wait)
        return execute(draft.plan(), self, Recorder())

    def soon(self, deed: Callable[[], None]) -> None:
        threading.Timer(0.1, deed).start()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr(lives, "RELOOK", 0.2)
    return Engine()


def healthy() -> AwaitHealthy:
    return AwaitHealthy(target=NAME, service="web", timeout=120, checked=True, version="one")


def completed() -> AwaitCompleted:
    return AwaitCompleted(target=NAME, service="web", timeout=120)


def failure(outcome: Outcome) -> MsctlError:
    (error,) = outcome.failures.values()
    return error


def within(seconds: float, engine: Engine, wait: Wait) -> Outcome:
    began = time.monotonic()
    outcome = engine.wait(wait)
    assert time.monotonic() - began < seconds
    return outcome


@pytest.mark.parametrize("status", ["running", "created"])
def test_a_job_whose_end_was_not_told_is_done(engine: Engine, status: str) -> None:
    """The event of its end got lost: it is looked at again."""
    engine.be(status)
    engine.soon(lambda: engine.be("exited"))
    assert not within(60, engine, completed()).failures


def test_health_that_was_not_told_is_seen(engine: Engine) -> None:
    """Neither its start nor its health was told."""
    engine.soon(lambda: engine.be("running", "healthy"))
    assert not within(60, engine, healthy()).failures


@pytest.mark.parametrize(
    ("action", "more"),
    [("health_status: healthy", {}), ("health_status", {"HealthStatus": "healthy"})],
    ids=["Docker", "Podman"],
)
def test_health_is_told_in_either_way(engine: Engine, action: str, more: dict[str, str]) -> None:
    """Docker has the word in the action, Podman beside it; nobody has to look."""
    engine.be("running", "starting")
    found = engine.watch(lambda: None)
    with found:
        life = found._lives.of(NAME)
        assert life is not None
        actor = {"ID": engine.id, "Attributes": {"name": NAME}}
        found._lives._apply({"Actor": actor, "Action": action, **more})
        assert life.health is Health.HEALTHY


def test_a_death_that_was_not_told_ends_the_wait(engine: Engine) -> None:
    """It was being started, by all that was told."""
    engine.be("running", "starting")
    engine.soon(lambda: engine.be("exited", code=3))
    error = failure(within(60, engine, healthy()))
    assert error.message == f"{NAME} ended with status 3"


@pytest.mark.parametrize("told", [True, False])
def test_the_status_is_that_of_its_last_death(engine: Engine, told: bool) -> None:
    """The engine tells 0 as soon as it has started the container again."""
    engine.be("running", "starting")
    found = engine.watch(lambda: None)
    with found:
        life = found._lives.of(NAME)
        assert life is not None
        for deaths in range(1, watch.DEATHS + 1):
            if told:
                engine.tell("die", exitCode="3")
                until(lambda: not life.running)
            else:
                engine.be("restarting", code=3)
                found._lives._look(NAME)
            assert life.deaths == deaths
            if deaths < watch.DEATHS:
                engine.be("running", "starting")
                found._lives._see(life, engine.state)
        engine.be("running", "starting")
        with pytest.raises(StepFailed, match=f"{NAME} ended with status 3, {watch.DEATHS} times"):
            found.reached(healthy())


def until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_container_that_is_gone_ends_the_wait(engine: Engine) -> None:
    """No event tells that it was removed."""

    def remove() -> None:
        engine.there = False

    engine.be("running", "starting")
    engine.soon(remove)
    error = failure(within(60, engine, healthy()))
    assert error.message == f"{NAME} was removed by somebody else"


def test_what_happens_while_the_stream_is_away_is_seen(engine: Engine) -> None:
    """A broken stream is opened again, and then looked whatever was missed."""

    def break_off() -> None:
        engine.be("running", "healthy")
        engine.streams[-1].close()

    engine.be("running", "starting")
    engine.soon(break_off)
    assert not within(60, engine, healthy()).failures
    assert len(engine.streams) == 2


def test_an_event_is_newer_than_the_look_that_it_overtook(engine: Engine) -> None:
    """What the engine answered before a container died does not bring it to life again."""
    engine.be("running", "healthy")
    seen = threading.Event()
    found = Lives(cast("Client", engine), "shop", seen.set)
    found.open()
    try:
        life = found.of(NAME)
        assert life is not None
        assert life.running

        def die() -> None:
            seen.clear()
            engine.tell("die")
            assert seen.wait(60)

        engine.within = die
        found._look(NAME)
        assert not life.running
    finally:
        engine.within = lambda: None
        found.close()


def test_a_death_counts_once(engine: Engine) -> None:
    """Whether it is seen before it is told, or not told at all."""
    engine.be("running")
    told = threading.Event()
    found = Lives(cast("Client", engine), "shop", told.set)
    found.open()
    try:
        life = found.of(NAME)
        assert life is not None
        engine.be("exited")
        found._look(NAME)
        assert life.deaths == 1
        told.clear()
        engine.tell("die")
        assert told.wait(60)
        assert life.deaths == 1
    finally:
        found.close()


def test_the_container_before_it_does_not_count(engine: Engine) -> None:
    """Another one of the same name was healthy when the plan began."""
    engine.be("running", "healthy")
    found = Lives(cast("Client", engine), "shop", lambda: None)
    assert found.of(NAME) is not None
    engine.id = "two"
    engine.be("running", "starting")
    found._look(NAME)
    life = found.of(NAME)
    assert life is not None
    assert (life.id, life.health) == ("two", "starting")


def test_an_engine_that_is_away_for_a_moment_is_waited_for(engine: Engine) -> None:
    """A look that gets no answer is no failure; the next one does."""

    def come_back() -> None:
        engine.away = False
        engine.be("running", "healthy")

    engine.be("running", "starting")

    def go_away() -> None:
        engine.away = True
        threading.Timer(1, come_back).start()

    engine.soon(go_away)
    assert not within(60, engine, healthy()).failures


def test_a_job_that_failed_unseen_is_told(engine: Engine) -> None:
    """Its status is the engine's."""
    engine.be("running")
    engine.soon(lambda: engine.be("exited", code=4))
    error = failure(within(60, engine, completed()))
    assert isinstance(error, StepFailed)
    assert error.message == f"job {NAME} failed with status 4"
