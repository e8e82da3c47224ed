"""Two operators at work on one stack."""

from __future__ import annotations

import json

import pytest
from live import Running, Stack, service, until

pytestmark = pytest.mark.engine


@pytest.fixture
def busy(stack: Stack) -> Running:
    """An `up` that has begun, and ends when `_end` is called."""
    stack.write({"web": service(env={"MISBEHAVE": "health-fail"})})
    up = stack.start("up")
    up.says("start")
    return up


def _end(stack: Stack) -> None:
    """Let the service become healthy, which the `up` at work waits for."""
    ask = (
        "import urllib.request as r; r.urlopen(r.Request('http://127.0.0.1:8000/_misbehave',"
        """ data=b'{"health": "ok"}'))"""
    )
    web = stack.engine.containers.get(f"{stack.project}-web-1")

    def told() -> bool:
        return web.exec_run(["python3", "-c", ask]).exit_code == 0

    until(told, 30, "the service listens")


def test_the_second_is_refused(stack: Stack, busy: Running) -> None:
    """Who comes second ends with 4 and is told who is at work, since when and with what; nothing
    is changed. The first is not disturbed."""
    before = stack.ids()
    for words in (["up"], ["scale", "web", "2"], ["down"]):
        result = stack.msctl(*words)
        assert result.status == 4, result
        assert f"another msctl works on {stack.project}" in result.err
        assert f"process {busy.process.pid} (msctl up), since" in result.err
        assert "--wait-lock" in result.err
    assert stack.ids() == before
    _end(stack)
    assert busy.ended() == 0


def test_looking_is_always_allowed(stack: Stack, busy: Running) -> None:
    """`status` and `up --dry-run` need no lock, and see the stack as it is meanwhile."""
    status = stack.msctl("status", "--json")
    assert status.status == 1
    assert not json.loads(status.out)["healthy"]
    stack.ok("up", "--dry-run")
    assert busy.process.poll() is None


def test_the_second_can_wait(stack: Stack, busy: Running) -> None:
    """With `--wait-lock` the second waits, says for whom, and then finds nothing to do."""
    second = stack.start("up", "--wait-lock", "60")
    second.says(f"waiting up to 60 s for process {busy.process.pid} (msctl up)")
    _end(stack)
    assert (busy.ended(), second.ended()) == (0, 0)
    assert any("nothing to do" in line for line in second.lines)


def test_a_killed_holder_holds_nothing(stack: Stack, busy: Running) -> None:
    """The lock dies with its holder, however that ends."""
    busy.kill()
    _end(stack)
    stack.ok("up")
    stack.ok("status")
