"""Axes: from values to places on a chart, and the round numbers that are written on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10

_WIDE = 20.0
"""Largest ÷ median from which on a logarithmic axis shows more than a linear one."""


@dataclass(frozen=True)
class Scale:
    """Values from `low` to `high` on a line of a given length."""

    low: float
    high: float
    length: float
    log: bool = False

    def at(self, value: float) -> float:
        """The place of a value; what lies outside is put at the nearest end."""
        value = min(max(value, self.low), self.high)
        if self.log:
            part = log10(value / self.low) / log10(self.high / self.low)
        else:
            part = (value - self.low) / (self.high - self.low)
        return part * self.length

    def ticks(self, most: int = 6) -> list[float]:
        """Round values within the scale, at the most about so many."""
        if not self.log:
            step = nice_step((self.high - self.low) / most)
            first, last = ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9)
            return [round(number * step, 10) for number in range(first, last + 1)]
        decades = range(floor(log10(self.low)), ceil(log10(self.high)) + 1)
        for digits in ((1, 2, 5), (1, 3), (1,)):
            found = [digit * 10.0**power for power in decades for digit in digits]
            found = [tick for tick in found if self.low * 0.999 <= tick <= self.high * 1.001]
            if len(found) <= most + 2:
                break
        return found

    def bins(self, count: int) -> list[tuple[float, float]]:
        """Equal parts of the line, as values from and to."""
        edges = [self._value(number / count) for number in range(count + 1)]
        return list(pairwise(edges))

    def _value(self, part: float) -> float:
        if self.log:
            return float(self.low * (self.high / self.low) ** part)
        return self.low + part * (self.high - self.low)


def nice_step(rough: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is not below `rough`."""
    power = 10.0 ** floor(log10(rough))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= rough * 0.999)


def latency_scale(milliseconds: Sequence[float], length: float) -> Scale:
    """For latencies: from 0, or logarithmic where the slowest are far from the middle."""
    ordered = sorted(max(value, 0.001) for value in milliseconds) or [1.0]
    middle, least, most = ordered[len(ordered) // 2], ordered[0], ordered[-1]
    if most > _WIDE * middle:
        return Scale(_round_down(least), _round_up(most), length, log=True)
    return Scale(0.0, nice_step(most / 5) * 5, length)


def _round_down(value: float) -> float:
    power = 10.0 ** floor(log10(value))
    return max(step * power for step in (1, 2, 5) if step * power <= value * 1.001)


def _round_up(value: float) -> float:
    return nice_step(value)
