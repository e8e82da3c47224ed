"""How fast each replica answers, from the gateway's access log: its metrics do not tell replicas
apart. Pure.

The format is Traefik's JSON access log (3.7): `ServiceAddr` is the replica's IP address and port,
`Duration` the nanoseconds from the request's head to the answer's end.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

ENOUGH = 10
"""Answers of a replica, and of the others, from which on they are compared."""
TIMES, MORE_MS = 3.0, 100.0
"""A slow replica's middle answer takes so many times as long as the others', and so much longer."""
_SWITCHING = 101  # a WebSocket lasts as long as its client wants


def read_answers(lines: Iterable[str]) -> dict[str, tuple[float, ...]]:
    """Milliseconds of each answer, by the replica's IP address."""
    found: dict[str, list[float]] = {}
    for line in lines:
        if '"ServiceAddr"' not in line:
            continue
        try:
            entry = json.loads(line)
            address, took = str(entry["ServiceAddr"]), float(entry["Duration"]) / 1e6
        except (ValueError, KeyError, TypeError):
            continue  # not a line of the access log
        if entry.get("DownstreamStatus") != _SWITCHING:
            found.setdefault(address.rpartition(":")[0].strip("[]"), []).append(took)
    return {address: tuple(times) for address, times in found.items()}


def percentile(times: Sequence[float], share: float) -> float | None:
    """The time within which this share of the answers came; None where there were none."""
    if not times:
        return None
    return sorted(times)[max(0, math.ceil(share * len(times)) - 1)]


@dataclass(frozen=True)
class Slow:
    """A replica that answers slowly, held against the others of its service."""

    median_ms: float
    others_ms: float


def slow_ones(times: Mapping[str, Sequence[float]]) -> dict[str, Slow]:
    """Which replicas of a service are slow; `times` has the answers of each."""
    found: dict[str, Slow] = {}
    for name, own in times.items():
        others = [time for other, theirs in times.items() if other != name for time in theirs]
        if len(own) < ENOUGH or len(others) < ENOUGH:
            continue
        from statistics import median  # where there is something to compare

        mine, theirs = median(own), median(others)
        if mine >= TIMES * theirs and mine - theirs >= MORE_MS:
            found[name] = Slow(mine, theirs)
    return found
