"""msctl killed or interrupted half way: the next command finds what is there and goes on."""

from __future__ import annotations

import signal

import pytest
from live import NewStack, Stack, service

pytestmark = pytest.mark.engine
LONG = pytest.mark.soak

KILLED = -signal.SIGKILL


def _write(stack: Stack, *paths: str, **env: str) -> None:
    web = service(*paths, replicas=2, needs=["db"], env=env)
    stack.write({"db": service(), "web": web})


def _converges(stack: Stack, replicas: int = 2) -> None:
    """One `up` brings all there shall be, a second one has nothing to do."""
    stack.ok("up")
    assert (len(stack.ids("web")), len(stack.ids("db"))) == (replicas, 1)
    before = stack.ids()
    assert "nothing to do" in stack.ok("up").err
    assert stack.ids() == before


@pytest.mark.parametrize(
    "moment",
    ["create network", pytest.param("create msctl-test-", marks=LONG), "await healthy"],
)
def test_killed_in_up(stack: Stack, moment: str) -> None:
    """`kill -9` at any moment of the first `up` is mended by the next one."""
    _write(stack)
    up = stack.start("up")
    up.says(moment)
    assert up.kill() == KILLED
    _converges(stack)


@pytest.fixture(scope="module")
def standing(module_stacks: NewStack) -> Stack:
    """A stack for all tests that need one which is up already."""
    stack = module_stacks()
    _write(stack, "/")
    return stack


@pytest.fixture
def running(standing: Stack) -> Stack:
    """A stack that is up, with as many replicas as its file says."""
    standing.ok("up", "--reset-scale")
    return standing


@pytest.mark.parametrize("moment", [pytest.param("create", marks=LONG), "stop"])
def test_killed_in_update(running: Stack, moment: str) -> None:
    """`kill -9` while replicas are replaced leaves no stray: the next `up` ends with the file's
    replicas, all of the new revision."""
    revision = f"revised-for-{moment}"
    _write(running, "/", SERVICE_NAME=revision)
    up = running.start("up")
    up.says(moment)
    assert up.kill() == KILLED
    _converges(running)
    answers = {running.visitor.echo("/")["service"] for _ in range(4)}
    assert answers == {revision}


@pytest.mark.parametrize(
    ("count", "moment"), [pytest.param(4, "create", marks=LONG), (1, "record scale")]
)
def test_killed_in_scale(running: Stack, count: int, moment: str) -> None:
    """A scale that was killed is not forgotten: the next `up` ends with the replicas that were
    asked for."""
    scale = running.start("scale", "web", str(count))
    scale.says(moment)
    assert scale.kill() == KILLED
    _converges(running, count)
    assert len(running.visitor.replicas("/", 2 * count)) == count


def test_killed_in_down(running: Stack) -> None:
    """A `down` that was killed is ended by the next one, which leaves nothing."""
    down = running.start("down")
    down.says("remove")
    assert down.kill() == KILLED
    running.ok("down", "--volumes", "--yes")
    assert running.traces() == []


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(stack: Stack, signum: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end `up` cleanly with 130 and no traceback; the lock is free and the
    next `up` goes on with the containers that are there."""
    _write(stack, MISBEHAVE="health-ok=2")
    up = stack.start("up")
    up.says(f"start {stack.project}-web-")
    assert up.send(signum, 10) == 130
    text = "".join(up.lines)
    assert "interrupted" in text
    assert "Traceback" not in text
    there = stack.ids()
    _converges(stack)
    assert there.items() <= stack.ids().items()
