"""How a load goes: requests a second by time, and when nobody measures it."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

HOUR = 3600.0


@dataclass(frozen=True)
class Shape:
    """A load of one service."""

    name: str
    seconds: float
    rate: Callable[[float], float]
    """Requests a second at a time."""
    blind: tuple[float, float] | None = None
    """From when to when requests and latencies are not known."""

    @property
    def peak(self) -> float:
        return max(self.rate(float(at)) for at in range(0, int(self.seconds), 5))


def _steps(at: float) -> float:
    return 200.0 if 600 <= at < 1500 or 2400 <= at < 3000 else 20.0


def _big_steps(at: float) -> float:
    return 2 * _steps(at) if _steps(at) > 20 else 20.0


def _ramp(at: float) -> float:
    return 20 + 280 * min(1.0, max(0.0, (at - 300) / 1800)) if at < 2700 else 20.0


def _day(at: float) -> float:
    """A day in four hours: lowest at its ends."""
    return 30 + 220 * math.sin(math.pi * at / (4 * HOUR)) ** 2


def _spikes(at: float) -> float:
    return 250.0 if at % 900 < 45 and at > 300 else 40.0


_NOISE = [random.Random(1).lognormvariate(0, 0.35) for _ in range(1000)]


def _noise(at: float) -> float:
    return 110 * _NOISE[int(at / 20) % len(_NOISE)]


SHAPES = (
    Shape("steps, 20 to 200/s", HOUR, _steps),
    Shape("steps, 20 to 400/s", HOUR, _big_steps),
    Shape("ramp to 300/s", HOUR, _ramp),
    Shape("day, 30 to 250/s", 4 * HOUR, _day),
    Shape("spikes of 45 s", HOUR, _spikes),
    Shape("noise around 110/s", HOUR, _noise),
    Shape("steps, metrics away", HOUR, _steps, blind=(900, 2100)),
)


def of_a_fleet(number: int) -> Shape:
    """One of many services, each with its own size, phase and noise."""
    chance = random.Random(number)
    size, phase = chance.lognormvariate(3.5, 0.8), chance.random() * HOUR
    wobble = [chance.lognormvariate(0, 0.2) for _ in range(61)]

    def rate(at: float) -> float:
        wave = 1 + 0.8 * math.sin(2 * math.pi * (at + phase) / HOUR)
        return min(size * wave * wobble[int(at / 60) % 61], 400.0)

    return Shape(f"service {number}", HOUR, rate)
