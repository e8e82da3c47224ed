"""The decision: what the metrics ask for, within windows, rates and bounds. Pure.

The order is that of `reconcileAutoscaler` in `pkg/controller/podautoscaler/horizontal.go`: a count
out of bounds is brought into them whatever the metrics say; of several metrics the one that asks
for most wins; where one of them is not known, nothing goes down; then the windows, the rates, and
the bounds.

Two things are stricter than there. A round in which something is not known counts as a
recommendation of what there is, so that the window begins anew when it is known again. And a scale
by hand stays until the load changes (`msctl.autoscale.hand`).
"""

from __future__ import annotations

from dataclasses import replace

from msctl.autoscale import limits
from msctl.autoscale.hand import hand_of
from msctl.autoscale.policy import Policy
from msctl.autoscale.recommend import readings
from msctl.autoscale.records import Decision, History, Reading, Samples
from msctl.autoscale.words import against, seconds


def decide(policy: Policy, samples: Samples, history: History, now: float) -> Decision:
    """How many replicas a service shall have now.

    `history` is that of the decision before (at first an empty one), with what was carried out of
    it noted by `History.changed`. The same input gives the same decision.
    """
    current = samples.current
    if current < 1 or not samples.replicas:
        return Decision(current, "it is not up", (), history, held=True)
    # As the controller does when it meets a service.
    if limits.unwatched(history, policy.interval, policy.stabilize_down, now):
        history = replace(history, recommendations=((now, current),))
    found = tuple(readings(policy, samples))
    told = [reading for reading in found if reading.replicas is not None]
    unknown = [reading for reading in found if reading.replicas is None]
    leading = max(told, key=lambda reading: reading.replicas or 0, default=None)
    hand = hand_of(samples, history.hand, leading, now)
    freed_now = hand is not None and hand.over and not (history.hand and history.hand.over)
    history = replace(history, hand=hand)
    asked = current if leading is None or leading.replicas is None else leading.replicas
    blocked = bool(unknown) and asked <= current
    history = limits.remembered(history, current if blocked else asked, policy.stabilize_down, now)

    if hand is not None and not hand.over:
        why = f"scaled by hand to {current}, which stays until the load changes"
        return Decision(current, why, found, history)
    freed = "the load has changed since the scale by hand; " if freed_now else ""
    if not policy.min <= current <= policy.max:
        wanted = policy.max if current > policy.max else policy.min
        bound = f"more than max {wanted}" if current > policy.max else f"fewer than min {wanted}"
        return Decision(wanted, f"{freed}{current} is {bound}", found, history)
    if blocked:
        return Decision(current, _why_held(unknown, leading, current), found, history, held=True)
    assert leading is not None
    decision = _followed(policy, samples, history, found, leading, now)
    return replace(decision, reason=freed + decision.reason)


def _followed(
    policy: Policy,
    samples: Samples,
    history: History,
    found: tuple[Reading, ...],
    leading: Reading,
    now: float,
) -> Decision:
    """A recommendation, as far as it may be followed now."""
    current, asked = samples.current, leading.replicas or 0
    why = against(leading)
    wanted = (
        max(current, asked) if asked > current else min(current, limits.highest(history, asked))
    )
    if wanted > current:
        allowed = limits.most(history, current)
        if policy.max < min(wanted, allowed):
            why += f"; {wanted} are asked for, max is {policy.max}"
        elif allowed < wanted:
            why += f"; {wanted} are asked for, {allowed} are the most within {limits.PERIOD:g} s"
        wanted = min(wanted, allowed)
    elif asked < policy.min:
        why += f"; min is {policy.min}"
    wanted = min(max(wanted, policy.min), policy.max)
    goal, until = max(asked, policy.min), None
    if goal < current == wanted:
        until = limits.next_down(history, current, policy.stabilize_down)
        left = seconds(max(0.0, (until or now) - now))
        why += f"; {goal} would do, down in {left} at the earliest"
    elif asked == current:
        why += "; close enough"
    return Decision(wanted, why, found, history, until)


def _why_held(unknown: list[Reading], leading: Reading | None, current: int) -> str:
    reasons = " and ".join(dict.fromkeys(reading.why_unknown for reading in unknown))
    if leading is not None and (leading.replicas or 0) < current:
        return f"held: {reasons}, so that none goes, though {against(leading)}"
    return f"held: {reasons}"
