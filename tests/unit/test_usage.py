"""The engine's numbers of a container → processors and memory."""

from __future__ import annotations

from typing import Any

import pytest

from msctl.engines.compose.usage import _usage as read
from msctl.state import Usage


def frame(at: str, busy: int, memory: dict[str, Any] | None = None) -> dict[str, Any]:
    """The part of a frame that is read."""
    return {
        "read": f"2026-11-25T10:00:{at}Z",
        "cpu_stats": {"cpu_usage": {"total_usage": busy}},
        "memory_stats": memory or {"usage": 100, "stats": {}},
    }


def test_processors_are_busy_time_by_time_that_passed() -> None:
    """Half a second of two processors' work in half a second is two processors."""
    found = read(frame("01.250000000", 10**9), frame("01.75", 2 * 10**9))
    assert found == Usage(cpus=2.0, memory=100, spent=2.0, at=10 * 3600 + 1.75)


@pytest.mark.parametrize(
    ("stats", "memory"),
    [
        ({"inactive_file": 30, "total_inactive_file": 99}, 70),
        ({"total_inactive_file": 40}, 60),
        ({}, 100),
        ({"inactive_file": 300}, 0),
    ],
    ids=["cgroup 2", "cgroup 1", "untold", "more than all"],
)
def test_memory_is_without_the_pages_that_can_go(stats: dict[str, int], memory: int) -> None:
    """Files in the cache are not what the container needs."""
    found = read({}, frame("01", 1, {"usage": 100, "stats": stats}))
    assert found.memory == memory


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, frame("02", 5)),
        (frame("02", 5), frame("02", 5)),
        (frame("02", 9), frame("03", 5)),
        (frame("02", 5), {"memory_stats": {}, "read": "0001-01-01T00:00:00Z"}),
    ],
    ids=["no first sample", "no time passed", "started anew", "it has ended"],
)
def test_what_cannot_be_told_is_unknown(first: dict[str, Any], second: dict[str, Any]) -> None:
    """Nothing is 0 that is not known."""
    assert read(first, second).cpus is None
