"""What a gateway's own counters tell of the time between two looks at them. Pure.

For stacks without a Prometheus. It is what `rate` and `histogram_quantile` do there: a counter that
is lower than before has begun anew, and within a bucket a quantile is interpolated.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from msctl.monitoring.exposition import lines
from msctl.monitoring.queries import BUCKETS, REQUESTS, own_name
from msctl.state import Traffic

_SHARE = 0.95


@dataclass(frozen=True)
class Counters:
    """One look."""

    at: float
    """Seconds of a clock that does not jump."""
    requests: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """Requests by service and series: a pin's are others than its service's own."""
    buckets: Mapping[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    """Upper bound in seconds, and requests up to it, by service and series."""


def read_counters(page: str, services: Iterable[str], at: float) -> Counters:
    """The counters of these services on a gateway's page."""
    wanted, requests, buckets = frozenset(services), {}, {}
    for line in lines(page, REQUESTS, BUCKETS):
        label = line.labels.get("service", "")
        name = own_name(label)
        if name not in wanted or name == label or not math.isfinite(line.value):
            continue
        key = name, repr(sorted(line.labels.items()))
        if line.name == REQUESTS:
            requests[key] = line.value
        elif (bound := _bound(line.labels.get("le", ""))) is not None:
            buckets[key] = bound, line.value
    return Counters(at, requests, buckets)


def _bound(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def traffic_between(
    before: Counters, after: Counters, services: Iterable[str]
) -> dict[str, Traffic]:
    """What each service had to answer from one look to the next; nothing where no time passed."""
    seconds = after.at - before.at
    if seconds <= 0:
        return {}
    found = {}
    for service in services:
        count = sum(
            _increase(before.requests.get(key), value)
            for key, value in after.requests.items()
            if key[0] == service
        )
        grown: dict[float, float] = {}
        for key, (bound, value) in after.buckets.items():
            if key[0] == service:
                earlier = before.buckets.get(key)
                more = _increase(None if earlier is None else earlier[1], value)
                grown[bound] = grown.get(bound, 0.0) + more
        latency = quantile(_SHARE, grown)
        p95 = None if latency is None else 1000 * latency
        found[service] = Traffic(rps=count / seconds, p95_ms=p95)
    return found


def _increase(before: float | None, after: float) -> float:
    """A series that was not there began at 0, as does one whose gateway was started anew."""
    return after if before is None or after < before else after - before


def quantile(share: float, buckets: Mapping[float, float]) -> float | None:
    """Seconds within which this share was answered, by the counts up to each bound; None where
    there was nothing. It is never more than the last finite bound."""
    bounds = sorted(buckets)
    total = buckets[bounds[-1]] if bounds else 0.0
    if total <= 0 or not math.isinf(bounds[-1]):
        return None
    rank, low, below = share * total, 0.0, 0.0
    for bound in bounds[:-1]:
        if buckets[bound] >= rank:
            inside = buckets[bound] - below
            return low + (bound - low) * ((rank - below) / inside if inside > 0 else 1.0)
        low, below = bound, buckets[bound]
    return low or None
