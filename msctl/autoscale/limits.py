"""How far and how fast a recommendation is followed: windows and rates. Pure.

Source: kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale, "Configurable scaling
behavior" with its default values, and `pkg/controller/podautoscaler/horizontal.go`
(`stabilizeRecommendationWithBehaviors`, `calculateScaleUpLimitWithScalingRules`): up at once, at
most 100 % or 4 replicas in 15 s, whatever is more; down to the highest recommendation of the
window. Down there is a rate too, of 100 % in 15 s: it never stands in the way, so it is not here.

Two things are stricter than there. What the window still holds keeps replicas and brings none: the
controller also goes up to a recommendation that its rate once stood in the way of, though fewer are
asked for by now. And a window is of decisions, not of time: see `unwatched`.
"""

from __future__ import annotations

import math
from dataclasses import replace

from msctl.autoscale.records import History

PERIOD = 15.0
"""Seconds over which the changes are counted."""
UP_SHARE, UP_REPLICAS = 1.0, 4
MISSED = 4
"""Decisions that may be missing in a row: one that was carried out took its time."""


def remembered(history: History, recommended: int, window: float, now: float) -> History:
    """The history with a recommendation more, and without all that is too old to matter.

    A time that lies ahead, because the clock was set back, is taken for now.
    """
    kept = [(min(at, now), count) for at, count in history.recommendations]
    kept = [(at, count) for at, count in kept if at > now - window and count > recommended]
    changes = tuple((min(at, now), change) for at, change in history.changes if at > now - PERIOD)
    return replace(history, recommendations=(*kept, (now, recommended)), changes=changes)


def unwatched(history: History, interval: float, window: float, now: float) -> bool:
    """Whether there was no decision for so long that the window is not known: the machine slept, a
    clock was set forward, or the engine was away. It then begins anew, as at a first look."""
    last = history.recommendations[-1][0] if history.recommendations else -math.inf
    return now - last > max(MISSED * interval, window / 2)


def highest(history: History, recommended: int) -> int:
    """The highest recommendation of the window, which `remembered` has left of it."""
    return max((count for _, count in history.recommendations), default=recommended)


def next_down(history: History, current: int, window: float) -> float | None:
    """When the window has no recommendation of as many replicas any more."""
    last = max((at for at, count in history.recommendations if count >= current), default=None)
    return None if last is None else last + window


def most(history: History, current: int) -> int:
    """Replicas that the rate of scaling up allows now."""
    before = current - sum(change for _, change in history.changes)
    return max(current, before + UP_REPLICAS, int(before * (1 + UP_SHARE)))
