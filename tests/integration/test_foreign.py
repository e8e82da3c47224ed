"""Containers of the project that msctl did not make, and its own that left the file."""

from __future__ import annotations

import json

import pytest
from live import Stack, service

pytestmark = pytest.mark.engine


@pytest.fixture
def visited(stack: Stack) -> tuple[Stack, str]:
    """A stack with a container that bears its project's label and that nobody knows."""
    stack.write({"web": service(), "old": service()})
    stack.ok("up")
    labels = {
        "com.docker.compose.project": stack.project,
        "com.docker.compose.service": "debug",
        "com.docker.compose.oneoff": "False",
        "com.docker.compose.config-hash": "0",
        "com.docker.compose.container-number": "1",
    }
    network = f"{stack.project}_backend"
    return stack, stack.stranger("sleep", "600", labels=labels, network=network)


def test_kept_and_named(visited: tuple[Stack, str]) -> None:
    """`up` and `down` keep a foreign container, and the network that it is on, and name it;
    `--remove-orphans` removes it."""
    stack, stranger = visited
    before = stack.ids()
    result = stack.ok("up")
    assert stranger in result.err
    assert "--remove-orphans" in result.err
    assert "nothing to do" in result.err
    assert stack.ids() == before

    problems = json.loads(stack.ok("status", "--json").out)["problems"]
    assert [p["kind"] for p in problems if p["replica"] == stranger] == ["foreign"]

    down = stack.ok("down").err
    assert stranger in down
    assert list(stack.ids()) == [stranger]
    assert stack.networks() == [f"{stack.project}_backend"]

    stack.ok("down", "--remove-orphans", "--volumes", "--yes")
    assert stack.traces() == []


def test_up_removes_orphans_when_told(visited: tuple[Stack, str]) -> None:
    """`up --remove-orphans` removes the foreign container and touches no other."""
    stack, stranger = visited
    before = stack.ids()
    stack.ok("up", "--remove-orphans")
    assert stack.ids() == {name: one for name, one in before.items() if name != stranger}


def test_what_left_the_file_goes(visited: tuple[Stack, str]) -> None:
    """A service of ours that left the file is removed by `up`, without a flag."""
    stack, stranger = visited
    stack.write({"web": service()})
    assert "left_file" in stack.ok("status", "--json").out
    result = stack.ok("up")
    assert f"remove {stack.project}-old-1, it left the file" in result.err
    assert set(stack.ids()) == {f"{stack.project}-web-1", stranger}


def test_a_taken_name(stack: Stack) -> None:
    """A container outside the project that has the name of a replica is kept, and `up` ends with
    1 and names it."""
    name = stack.stranger("sleep", "600", name=f"{stack.project}-web-1")
    stack.write({"web": service()})
    result = stack.msctl("up")
    assert result.status == 1, result
    assert name in result.err
    assert f"docker rm {name}" in result.err
    assert stack.inspect(name)["State"]["Running"]
