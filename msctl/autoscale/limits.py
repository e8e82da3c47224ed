"""How far and how fast a recommendation is followed: windows and rates. Pure.

Source: kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale, "Configurable scaling
behavior" with its default values, and `pkg/controller/podautoscaler/horizontal.go`
(`stabilizeRecommendationWithBehaviors`, `calculateScaleUpLimitWithScalingRules`): up at once, at
most 100 % or 4 replicas in 15 s, whatever is more; down to the highest recommendation of the
window. Down there is a rate too, of 100 % in 15 s: it never stands in the way, so it is not here.
"""

from __future__ import annotations

from dataclasses import replace

from msctl.autoscale.records import History

PERIOD = 15.0
"""Seconds over which the changes are counted."""
UP_SHARE, UP_REPLICAS = 1.0, 4


def remembered(history: History, recommended: int, window: float, now: float) -> History:
    """The history with a recommendation more, and without all that is too old to matter.

    A time that lies ahead, because the clock was set back, is taken for now.
    """
    kept = [(min(at, now), count) for at, count in history.recommendations]
    kept = [(at, count) for at, count in kept if at > now - window and count > recommended]
    changes = tuple((min(at, now), change) for at, change in history.changes if at > now - PERIOD)
    return replace(history, recommendations=(*kept, (now, recommended)), changes=changes)


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
