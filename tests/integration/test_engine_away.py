"""The engine does not answer, or goes away half way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from live import Stack, service
from live.wire import Wire

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("command", ["up", "status", "scale web 2", "down"])
def test_not_running(stack: Stack, command: str) -> None:
    """Every command ends with 3 and tells which address did not answer and how to mend that."""
    stack.write({"web": service("/")})
    nowhere = f"unix://{stack.folder}/nowhere.sock"
    result = stack.msctl(*command.split(), DOCKER_HOST=nowhere)
    assert result.status == 3, result
    assert f"no Docker engine answers at {nowhere}" in result.err
    assert "DOCKER_HOST" in result.err
    assert result.out == ""


@pytest.fixture
def wire(stack: Stack) -> Iterator[Wire]:
    wire = Wire(stack.folder / "engine.sock")
    yield wire
    wire.cut()


@pytest.mark.parametrize("moment", ["create network", "await healthy"])
def test_stopped_half_way(stack: Stack, wire: Wire, moment: str) -> None:
    """When the engine goes away during `up`, msctl ends with 3 within a minute; when it is back,
    the next `up` goes on from what is there."""
    stack.write({"db": service(), "web": service(needs=["db"])})
    up = stack.start("up", DOCKER_HOST=wire.address)
    up.says(moment)
    wire.cut()
    assert up.ended(60) == 3
    assert any("no Docker engine answers" in line for line in up.lines), up.lines
    stack.ok("up")
    assert len(stack.ids()) == 2
    stack.ok("status")
