"""Health checks that msctl runs itself, on an engine that does with them as a test says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msctl.engines.compose.api.client import Client, EngineFault
from msctl.engines.compose.watching import checks
from msctl.engines.compose.watching.checks import AT_ONCE, Checks
from msctl.errors import EngineUnreachable

SECOND = 1_000_000_000
NONE: frozenset[str] = frozenset()


class Engine:
    """As `Client`: for each check whether it passes, or what it says; from then on the last."""

    def __init__(self, *answers: bool | str | Exception) -> None:
        self.answers = list(answers)
        check = {"Test": ["CMD", "up"], "Interval": 60 * SECOND}
        self.config: dict[str, Any] = {"Healthcheck": check}
        self.mounts: list[dict[str, Any]] = []
        self.ran: list[tuple[str, list[str], float]] = []
        self.most = self.running = 0
        self.lock = threading.Lock()

    def call(self, request: Callable[[Any], Any]) -> Any:
        return request(self)

    def inspect_container(self, name: str) -> dict[str, Any]:  # noqa: ARG002
        return {"Config": self.config, "Mounts": self.mounts}

    def run(self, container: str, words: list[str], seconds: float) -> tuple[int, str]:
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
            self.ran.append((container, words, seconds))
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        time.sleep(0.01)
        with self.lock:
            self.running -= 1
        if isinstance(answer, Exception):
            raise answer
        return (0, "") if answer is True else (1, answer or "")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "FIRST", (0.0, 0.01, 0.01))
    monkeypatch.setattr(checks, "EVERY", 0.02)


@contextmanager
def checking(
    engine: Engine, *names: str, filled: frozenset[str] = NONE, end: bool = True
) -> Iterator[Checks]:
    """Asked for these, and come to an end, unless they come to none by themselves."""
    found = Checks(cast("Client", engine), lambda: None)
    for name in names:
        found.passed(name, filled)
    threads = [thread for thread in threading.enumerate() if thread.name == "msctl-check"]
    try:
        for thread in threads if end else ():
            thread.join(10)
            assert not thread.is_alive()
        yield found
    finally:
        found.close()
        for thread in threads:
            thread.join(10)


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_check_is_run_until_it_passes() -> None:
    """And told then, once."""
    engine = Engine(False, False, False, False, False, True)
    with checking(engine, "web") as found:
        assert found.passed("web", NONE)
    assert engine.ran == [("web", ["up"], 30.0)] * 6


@pytest.mark.parametrize(
    ("test", "shell", "expected"),
    [
        (["CMD", "curl", "-f", "a b"], None, ["curl", "-f", "a b"]),
        (["CMD-SHELL", "curl a || exit 1"], None, ["/bin/sh", "-c", "curl a || exit 1"]),
        (["CMD-SHELL", "curl a"], ["/bin/bash", "-ec"], ["/bin/bash", "-ec", "curl a"]),
    ],
)
def test_it_is_the_engines_command(
    test: list[str], shell: list[str] | None, expected: list[str]
) -> None:
    engine = Engine(True)
    engine.config = {"Healthcheck": {"Test": test, "Timeout": 2 * SECOND}, "Shell": shell}
    with checking(engine, "web") as found:
        assert found.passed("web", NONE)
    assert engine.ran == [("web", expected, 2.0)]


@pytest.mark.parametrize("check", [None, {}, {"Test": []}, {"Test": ["NONE"]}, {"Test": ["CMD"]}])
def test_without_a_command_nothing_is_run(check: dict[str, Any] | None) -> None:
    engine = Engine(True)
    engine.config = {"Healthcheck": check}
    with checking(engine, "web") as found:
        assert not found.passed("web", NONE)
    assert engine.ran == []


@pytest.mark.parametrize(
    ("mounts", "filled", "run"),
    [
        ([{"Type": "volume", "Name": "data", "RW": True}], NONE, False),
        ([{"Type": "volume", "Name": "data", "RW": True}], {"data"}, True),
        ([{"Type": "volume", "Name": "data", "RW": False}], NONE, True),
        ([{"Type": "bind", "Source": "/srv", "RW": True}], {"data"}, False),
        ([{"Type": "bind", "Source": "/etc/web.conf", "RW": False}], NONE, True),
        ([{"Type": "tmpfs", "RW": True}], NONE, True),
        (
            [
                {"Type": "volume", "Name": "data", "RW": True},
                {"Type": "volume", "Name": "0f3a", "RW": True},
            ],
            {"data"},
            False,
        ),
    ],
)
def test_who_may_have_to_set_up_its_data_is_left_to_the_engine(
    mounts: list[dict[str, Any]], filled: set[str], run: bool
) -> None:
    """A database that does so answers for a moment, and starts once more."""
    engine = Engine(True)
    engine.mounts = mounts
    with checking(engine, "db", filled=frozenset(filled)) as found:
        assert found.passed("db", frozenset(filled)) is run
    assert bool(engine.ran) is run


def test_a_container_that_does_not_run_at_the_moment_is_asked_again() -> None:
    """Its engine may start it once more."""
    engine = Engine(EngineFault("container web is not running", 409), True)
    with checking(engine, "web") as found:
        assert found.passed("web", NONE)


@pytest.mark.parametrize(
    "fault",
    [
        EngineFault("exec is forbidden here", 403),
        EngineFault("no such container", 404),
        EngineUnreachable("it did not end in time"),
    ],
)
def test_what_msctl_cannot_run_is_left_to_the_engine(fault: Exception) -> None:
    """By a proxy that forbids it, or since a check hangs: tried once."""
    engine = Engine(fault)
    with checking(engine, "web") as found:
        assert not found.passed("web", NONE)
    assert len(engine.ran) == 1


def test_a_check_that_takes_long_is_run_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """What starts has most of the machine."""
    monkeypatch.setattr(checks, "REST", 1000)
    engine = Engine(False)
    with checking(engine, "web", end=False):
        wait_for(lambda: engine.ran)
        time.sleep(0.1)
    assert len(engine.ran) == 1


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (
            "OCI runtime exec failed: no such file or directory\r\n",
            "OCI runtime exec failed: no such file or directory",
        ),
        (
            EngineFault("OCI runtime exec failed: executable file not found", 400),
            "OCI runtime exec failed: executable file not found",
        ),
        ("msctl: no wget, curl or python3", "msctl: no wget, curl or python3"),
        ("curl: (7) refused", None),
    ],
)
def test_a_check_that_the_image_cannot_run_is_told(
    answer: str | Exception, why: str | None
) -> None:
    """It does not get better by waiting."""
    engine = Engine(answer)
    with checking(engine, "web", end=False) as found:
        wait_for(lambda: len(engine.ran) > 1)
        assert found.refused == ({} if why is None else {"web": why})
        assert not found.passed("web", NONE)


def test_no_more_than_a_few_run_at_a_time() -> None:
    """However many replicas start."""
    names = [f"web-{number}" for number in range(4 * AT_ONCE)]
    engine = Engine(True)
    with checking(engine, *names) as found:
        assert all(found.passed(name, NONE) for name in names)
    assert 1 < engine.most <= AT_ONCE


def test_checks_end_with_the_plan() -> None:
    engine = Engine(False)
    with checking(engine, "web", end=False):
        wait_for(lambda: len(engine.ran) > len(checks.FIRST))
    assert "msctl-check" not in [thread.name for thread in threading.enumerate()]


@given(
    st.fixed_dictionaries(
        {}, optional={key: st.integers(0, 90) for key in ("Interval", "StartInterval")}
    )
)
def test_an_engine_that_checks_every_second_is_soon_left_to_it(seconds: dict[str, int]) -> None:
    """Docker 25 does so while a container starts; before, it waits for its interval."""
    every = seconds.get("StartInterval") or seconds.get("Interval") or 30
    check = {key: value * SECOND for key, value in seconds.items()}
    found = list(islice(checks._pauses(check), 20))
    assert found[: len(checks.FIRST)] == list(checks.FIRST)
    assert len(found) == (20 if every > checks.EVERY else len(checks.FIRST))
