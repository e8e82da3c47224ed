"""Durations are measured by a clock that does not jump; the time of day is for what people read,
and for certificates."""

from __future__ import annotations

import ast
import itertools
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

import msctl
from msctl.errors import StackLocked
from msctl.files.lock import StackLock

NOON = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
PACKAGE = Path(msctl.__file__).parent
TIME_OF_DAY = {
    "cli/app.py": "handed to commands, which show it",
    "engines/compose/work.py": "handed to what asks whether a certificate has ended",
    "engines/compose/deeds/gatewayfiles.py": "the time of a file in an archive",
    "files/wholefile.py": "the age of a draft that a killed msctl has left",
    "engines/kubernetes/deeds/perform.py": "the time of a restart, in an annotation",
}
"""The modules that read the time of day, and what for."""


def readers() -> set[str]:
    """The modules that call or name `time.time`, `datetime.now` and their like."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
                continue
            name = f"{node.value.id}.{node.attr}"
            if name in ("time.time", "time.time_ns", "datetime.now", "datetime.utcnow"):
                found.add(path.relative_to(PACKAGE).as_posix())
    return found


def test_the_time_of_day_is_read_where_it_is_meant() -> None:
    """Whoever needs it for something else says so here."""
    assert readers() == TIME_OF_DAY.keys()


def test_whoever_waits_for_a_lock_waits_by_another_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jumps of the time of day, back and forth, neither end the wait nor prolong it."""
    now, jumps = time.time(), itertools.cycle([0.0, 1e8, -1e8])
    monkeypatch.setattr(time, "time", lambda: now + next(jumps))
    one, two = (StackLock(tmp_path, "engine", "shop") for _ in range(2))
    with one.held("msctl up", NOON):
        began = time.monotonic()
        with pytest.raises(StackLocked), two.held("msctl down", NOON, wait=0.5):
            pass
        assert 0.5 <= time.monotonic() - began < 60
