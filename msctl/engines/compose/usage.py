"""What containers take of the machine.

A call for one sample takes the engine a whole second, since it waits for a second one; the first
frame of a stream comes at once. So two first frames, a little apart, tell the processors.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

from msctl.engines.compose.client import Client, EngineFault
from msctl.errors import EngineUnreachable
from msctl.state import Usage

APART = 0.3
"""Seconds between two samples."""
PATIENCE = 2
"""Seconds that the engine has for the sample of a container."""
_WORKERS = 8


def usage(client: Client, containers: Iterable[str]) -> dict[str, Usage]:
    """Of running containers, by id; what does not answer in time is not in it."""
    wanted = list(containers)
    with ThreadPoolExecutor(_WORKERS) as pool:
        began = time.monotonic()
        first = dict(zip(wanted, pool.map(lambda one: _frame(client, one), wanted), strict=True))
        time.sleep(max(0.0, APART - (time.monotonic() - began)))
        second = dict(zip(wanted, pool.map(lambda one: _frame(client, one), wanted), strict=True))
    return {
        one: _usage(first[one] or {}, frame)
        for one, frame in second.items()
        if frame is not None and frame.get("memory_stats")
    }


def _frame(client: Client, container: str) -> Mapping[str, Any] | None:
    """The engine's numbers of now."""
    try:
        with closing(
            client.stream(lambda api: api.stats(container, decode=True, stream=True), PATIENCE)
        ) as frames:
            found: Mapping[str, Any] | None = next(frames, None)
            return found
    except (EngineFault, EngineUnreachable):
        return None  # it ended meanwhile, or the engine is too busy


def _usage(first: Mapping[str, Any], second: Mapping[str, Any]) -> Usage:
    memory = _memory(second["memory_stats"])
    try:
        spent, at = _busy(second) / 1e9, _nanoseconds(second["read"]) / 1e9
    except (KeyError, ValueError):
        return Usage(None, memory)
    return Usage(_cpus(first, second), memory, spent, at)


def _cpus(first: Mapping[str, Any], second: Mapping[str, Any]) -> float | None:
    """Nanoseconds of processor time by nanoseconds of the engine's clock."""
    try:
        busy = _busy(second) - _busy(first)
        passed = _nanoseconds(second["read"]) - _nanoseconds(first["read"])
    except (KeyError, ValueError):
        return None
    return busy / passed if passed > 0 and busy >= 0 else None


def _busy(frame: Mapping[str, Any]) -> int:
    return int(frame["cpu_stats"]["cpu_usage"]["total_usage"])


def _nanoseconds(stamp: str) -> int:
    """Of an RFC 3339 time in UTC with up to nine decimals; the day is enough to compare."""
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
