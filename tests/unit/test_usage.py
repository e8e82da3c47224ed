"""Samples of a container, by the kernel and by the engine → processors and memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from msctl.engines.compose.observing.cgroups import Cgroups
from msctl.engines.compose.observing.samples import Sample, read_frame
from msctl.engines.compose.observing.usage import APART, Meter
from msctl.state import Usage

SECOND = 10**9


def frame(at: str, busy: int, memory: dict[str, Any] | None = None) -> dict[str, Any]:
    """The part of one of the engine's frames that is read."""
    return {
        "read": f"2026-11-25T10:00:{at}Z",
        "cpu_stats": {"cpu_usage": {"total_usage": busy}},
        "memory_stats": memory or {"usage": 100, "stats": {}},
    }


def test_a_frame_of_the_engine_is_a_sample() -> None:
    """Its clock has up to nine decimals."""
    first, second = read_frame(frame("01.25", 7)), read_frame(frame("01.750000001", 9))
    assert first is not None
    assert second is not None
    assert (first.busy, second.busy, second.at - first.at) == (7, 9, SECOND // 2 + 1)


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
    found = read_frame(frame("01", 1, {"usage": 100, "stats": stats}))
    assert found is not None
    assert found.memory == memory


def test_a_container_that_has_ended_gives_no_sample() -> None:
    """The engine answers with an empty frame."""
    assert read_frame({"read": "0001-01-01T00:00:00Z", "cpu_stats": {}, "memory_stats": {}}) is None


FIRST = {
    "cpuacct/docker/one/cpuacct.usage": "5000",
    "memory/docker/one/memory.usage_in_bytes": "4096",
    "memory/docker/one/memory.stat": "cache 9\ntotal_inactive_file 96",
}
SECOND_VERSION = {
    "system.slice/docker-one.scope/cpu.stat": "usage_usec 5\nuser_usec 3",
    "system.slice/docker-one.scope/memory.current": "4096",
    "system.slice/docker-one.scope/memory.stat": "anon 9\ninactive_file 96",
}


@pytest.mark.parametrize("files", [FIRST, SECOND_VERSION], ids=["cgroup 1", "cgroup 2"])
def test_the_kernel_tells_of_a_control_group(tmp_path: Path, files: dict[str, str]) -> None:
    """Nanoseconds and bytes, whatever the version; a container without one is not in it."""
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    [(name, sample)] = Cgroups(tmp_path).samples(["one", "two"]).items()
    assert (name, sample.busy, sample.memory) == ("one", 5000, 4000)


@dataclass
class Counters:
    """Control groups that are read at a virtual time."""

    now: float = 0.0
    counted: dict[str, int] = field(default_factory=dict)

    def sleep(self, seconds: float) -> None:
        """Half a processor is kept busy meanwhile."""
        self.now += seconds
        self.counted = {one: busy + int(seconds * SECOND / 2) for one, busy in self.counted.items()}

    def samples(self, containers: Iterable[str]) -> dict[str, Sample]:
        at = int(self.now * SECOND)
        return {one: Sample(at, self.counted[one], 100) for one in containers}


def meter(counters: Counters) -> Meter:
    cgroups: Any = counters
    client: Any = None
    return Meter(client, cgroups, clock=lambda: counters.now, sleep=counters.sleep)


def test_processors_are_busy_time_by_time_that_passed() -> None:
    """The first to ask waits for a second sample, the next one does not."""
    counters = Counters(counted={"one": 0, "two": 5})
    asked = meter(counters)
    first = asked.usage(["one", "two"])
    assert {name: (one.cpus, one.memory) for name, one in first.items()} == {
        "one": (0.5, 100),
        "two": (0.5, 100),
    }
    assert counters.now == pytest.approx(APART)
    counters.sleep(1.0)
    [second] = asked.usage(["one"]).values()
    assert (second.cpus, second.spent, second.at) == (0.5, 0.625, 1.25)
    assert counters.now == pytest.approx(APART + 1.0)


def test_what_cannot_be_told_is_unknown() -> None:
    """A container that was started anew counts from 0 again."""
    counters = Counters(counted={"one": SECOND})
    asked = meter(counters)
    asked.usage(["one"])
    counters.counted["one"] = 0
    assert asked.usage(["one"]) == {"one": Usage(None, 100, 0.125, 2 * APART)}
