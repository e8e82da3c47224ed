"""Whoever scales by hand is not fought. Pure.

A scale by hand is left alone until the metrics ask for another number of replicas than when it
came into force, and for that because of the load, not of noise: it must have changed by more than
the tolerance.
"""

from __future__ import annotations

from dataclasses import replace

from msctl.autoscale.policy import TOLERANCE
from msctl.autoscale.records import Hand, Reading, Samples

SETTLING = 120.0
"""Seconds that the replicas which somebody asked for have to get ready, before the load is measured
without them."""


def hand_of(
    samples: Samples, before: Hand | None, leading: Reading | None, now: float
) -> Hand | None:
    """The scale by hand in force, if any; `leading` is the metric that asks for most, if known."""
    if samples.by_hand is None:
        return None
    same = before is not None and before.number == samples.by_hand
    hand = before if before is not None and same else Hand(samples.by_hand, now)
    if hand.over or leading is None or leading.replicas is None:
        return hand
    if hand.replicas is None:
        ready = sum(replica.ready for replica in samples.replicas)
        settled = ready == len(samples.replicas) == samples.current
        # While replicas still come or go, the figures are not those of the number asked for.
        if not settled and 0 <= now - hand.since < SETTLING:
            return hand
        return replace(hand, replicas=leading.replicas, load=leading.load)
    changed = abs(leading.load - hand.load) > TOLERANCE * hand.load
    return replace(hand, over=changed and leading.replicas != hand.replicas)
