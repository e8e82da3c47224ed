"""Rules that say how many replicas there shall be: msctl's, and what it is held against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from autoscaling.shapes import Shape
from msctl.autoscale.decide import decide
from msctl.autoscale.policy import Policy
from msctl.autoscale.records import History, Samples

POLICY = Policy(
    min=2, max=12, cpu=70.0, rps=50.0, latency_p95=500.0, cpu_base=0.25, stabilize_down=300.0
)
"""MusicShare's userservice, with more room upwards."""


class Rule(Protocol):
    """Called every 15 s; how many replicas there shall be."""

    def __call__(self, samples: Samples, now: float) -> int: ...


@dataclass
class Msctl:
    """`decide`, as the loop uses it."""

    policy: Policy = POLICY
    history: History = field(default_factory=History)

    def __call__(self, samples: Samples, now: float) -> int:
        decision = decide(self.policy, samples, self.history, now)
        self.history = decision.history
        if decision.replicas != samples.current:
            self.history = self.history.changed(now, samples.current, decision.replicas)
        return decision.replicas


@dataclass
class Fixed:
    """As many as somebody chose."""

    count: int

    def __call__(self, samples: Samples, now: float) -> int:  # noqa: ARG002 - the protocol's
        return self.count


@dataclass
class OneByOne:
    """The rules of MusicShare's guide: one more over any threshold; one fewer where all are below
    half of theirs; then nothing for a while."""

    cooldown: float
    last: float = -1e9

    def __call__(self, samples: Samples, now: float) -> int:
        if now - self.last < self.cooldown:
            return samples.current
        shares = [one.cpu / 70.0 for one in samples.replicas if one.cpu is not None]
        found = [
            sum(shares) / len(shares) if shares else None,
            None if samples.rps is None else samples.rps / samples.current / 50.0,
            None if samples.latency_p95 is None else samples.latency_p95 / 500.0,
        ]
        known = [ratio for ratio in found if ratio is not None]
        step = 1 if max(known) > 1 else -1 if max(known) < 0.5 else 0
        wanted = min(max(samples.current + step, POLICY.min), POLICY.max)
        if wanted != samples.current:
            self.last = now
        return wanted


def _for_the_peak(shape: Shape) -> int:
    """Nobody would give more: at the peak each replica is at its target."""
    return max(POLICY.min, -(-int(shape.peak) // 35))


RULES: dict[str, Callable[[Shape], Rule]] = {
    "msctl": lambda _: Msctl(),
    "msctl, 60 s down": lambda _: Msctl(replace(POLICY, stabilize_down=60.0)),
    "fixed, 2": lambda _: Fixed(2),
    "fixed, for the peak": lambda shape: Fixed(_for_the_peak(shape)),
    "±1, 60 s cooldown": lambda _: OneByOne(60.0),
    "±1, 300 s cooldown": lambda _: OneByOne(300.0),
}
