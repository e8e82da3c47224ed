"""The engine's own samples of containers.

It takes them once a second for all who ask. So everything is asked at the same time, and the
answers come within a second.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from msctl.engines.compose.api.client import Client, EngineFault
from msctl.errors import EngineUnreachable

PATIENCE = 2
"""Seconds that the engine has for the sample of a container."""
AT_ONCE = 64
"""Containers that are asked about at the same time, at the most."""


@dataclass(frozen=True)
class Sample:
    """What was counted of one container up to one moment."""

    at: int
    """Nanoseconds, by a clock of its source's own."""
    busy: int
    """Nanoseconds of processor time since the container began."""
    memory: int | None
    """Bytes, without what the kernel could give back at once."""


def sampled(client: Client, containers: Sequence[str]) -> dict[str, Sample]:
    """Of each container that answers in time."""
    with ThreadPoolExecutor(min(AT_ONCE, len(containers))) as pool:
        frames = pool.map(lambda one: _frame(client, one), containers)
        rows = zip(containers, frames, strict=True)
        return {
            one: sample
            for one, frame in rows
            if frame is not None and (sample := read_frame(frame)) is not None
        }


def _frame(client: Client, container: str) -> Mapping[str, Any] | None:
    """The engine's next numbers."""
    try:
        found: Mapping[str, Any] | None = client.call(
            lambda api: _first(api.stats(container, decode=True, stream=True)), PATIENCE
        )
        return found
    except (EngineFault, EngineUnreachable):
        return None  # it ended meanwhile, or the engine is too busy


def _first(frames: Generator[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    with closing(frames):
        return next(frames, None)


def read_frame(frame: Mapping[str, Any]) -> Sample | None:
    """None of a container that does not run any more."""
    try:
        busy = int(frame["cpu_stats"]["cpu_usage"]["total_usage"])
        return Sample(_nanoseconds(frame["read"]), busy, _memory(frame.get("memory_stats") or {}))
    except (KeyError, ValueError):
        return None


def _nanoseconds(stamp: str) -> int:
    """Of an RFC 3339 time in UTC with up to nine decimals; of two times a day is enough."""
    _, _, clock = stamp.rstrip("Z").partition("T")
    hours, minutes, seconds = clock.split(":")
    whole, _, decimals = seconds.partition(".")
    return ((int(hours) * 60 + int(minutes)) * 60 + int(whole)) * 10**9 + int(f"{decimals:0<9}")


def _memory(found: Mapping[str, Any]) -> int | None:
    """As `docker stats` counts it: without inactive file pages (cgroup 2, then cgroup 1)."""
    if (whole := found.get("usage")) is None:
        return None
    details = found.get("stats") or {}
    spare = details.get("inactive_file", details.get("total_inactive_file", 0))
    return max(0, int(whole) - int(spare))
