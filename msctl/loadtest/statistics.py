"""Latency figures: an HDR histogram with three significant digits, from 1 µs to an hour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

from hdrh.histogram import HdrHistogram

_LOWEST, _HIGHEST, _DIGITS = 1, 3_600_000_000, 3
"""In microseconds."""


@dataclass(frozen=True)
class Latency:
    """Milliseconds; all None when there was no answer."""

    min: float | None = None
    avg: float | None = None
    max: float | None = None
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None


class Histogram:
    """Counts latencies, given in seconds."""

    def __init__(self, latencies: Iterable[float] = ()) -> None:
        self._counts = HdrHistogram(_LOWEST, _HIGHEST, _DIGITS)
        self._sum = 0.0
        self._least, self._most = float("inf"), 0.0
        for latency in latencies:
            self.add(latency)

    def add(self, seconds: float) -> None:
        micros = min(max(_LOWEST, round(seconds * 1e6)), _HIGHEST)
        self._counts.record_value(micros)
        self._sum += seconds
        self._least, self._most = min(self._least, seconds), max(self._most, seconds)

    def __len__(self) -> int:
        return int(self._counts.get_total_count())

    def percentile(self, percent: float) -> float | None:
        """The latency (ms) that so many percent do not exceed, to three digits: that of the
        nearest rank."""
        if not len(self):
            return None
        # The library rounds the rank, which makes the 95th of 15 latencies the second slowest.
        rank = max(1, ceil(percent * len(self) / 100 - 1e-9))
        micros = int(self._counts.get_value_at_percentile(100 * rank / len(self)))
        # The histogram's buckets end above their values: no percentile exceeds the maximum.
        return round(min(max(micros / 1000, self._least * 1000), self._most * 1000), 3)

    def latency(self) -> Latency:
        if not len(self):
            return Latency()
        return Latency(
            min=round(self._least * 1000, 3),
            avg=round(self._sum / len(self) * 1000, 3),
            max=round(self._most * 1000, 3),
            p50=self.percentile(50),
            p90=self.percentile(90),
            p95=self.percentile(95),
            p99=self.percentile(99),
        )
