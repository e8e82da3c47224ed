"""A time of day that jumps, back and forth, is no reason to do or say anything else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path

import pytest
from loads import AUTOSCALED, Load
from terminal import Terminal

NOON = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
JUMPS = [timedelta(0), timedelta(days=4000), timedelta(days=-4000), timedelta(hours=-1)]
DAY = [
    ["up"],
    ["scale", "api", "4"],
    ["status"],
    ["scale", "api", "2"],
    ["restart", "web"],
    ["rollout", "api"],
    ["routes"],
    ["logs"],
    ["up"],
    ["down", "--volumes", "--yes"],
]


def jumping() -> Callable[[], datetime]:
    """Another time whenever it is asked for."""
    jumps = cycle(JUMPS)
    return lambda: NOON + next(jumps)


def steady() -> datetime:
    return NOON


def made(terminal: Terminal) -> list[tuple[int, list[str]]]:
    """What each command of a day did, in the order in which it was done."""
    found = []
    for words in DAY:
        before = len(terminal.world.log)
        status = terminal.msctl(*words).status
        found.append((status, sorted(terminal.world.log[before:])))
    return found


def test_every_command_does_the_same(tmp_path: Path, terminal: Terminal) -> None:
    """Waits, drains and pins end when they do with a steady clock."""
    other = Terminal(tmp_path / "other")
    other.world.have(*terminal.world.images)
    other.write((terminal.folder / "stack.yaml").read_text())
    terminal.now, other.now = jumping(), steady
    assert made(terminal) == made(other)
    assert terminal.world.now == pytest.approx(other.world.now, abs=1.0)


def test_the_autoscaler_decides_the_same(terminal: Terminal) -> None:
    """Its window and its rounds are measured by another clock."""
    terminal.write(AUTOSCALED)
    assert terminal.msctl("up").status == 0
    terminal.now = jumping()
    load_ = Load(terminal)
    load_.at(20, load_.change(rps=200.0)).at(60, load_.change(rps=80.0)).end(150)
    answer = load_.msctl("--interval", "5")
    assert [line.split(":")[2].split(" api ")[1] for line in answer.out.splitlines()] == [
        "2 → 4",
        "4 → 2",
    ]
