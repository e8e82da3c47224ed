"""A service as a queue: replicas that take time to start, and requests that wait for processors.

Each replica is a processor that its requests share: with a load of r (0 to 1) an answer takes on
average s / (1 - r), exponentially distributed (M/M/1 with processor sharing); what comes beyond
that waits, and all replicas work the queue off together. No chance is in it but the shape's.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from autoscaling.rules import POLICY, Fixed, Rule
from autoscaling.shapes import Shape
from msctl.autoscale.records import ReplicaSample, Samples

INTERVAL = 15.0
WORK = 0.005
"""Seconds of processor time that a request costs."""
LIMIT = 0.5
"""Processors that a replica has: 100 requests/s at the most."""
ALONE = 0.04
"""Seconds that a request takes in an idle replica; most of it waiting for others."""
START = 8.0
"""Seconds until a new replica is healthy and routed."""
WINDOW = 30.0
"""Seconds over which rates and latencies are measured."""
TARGET = (POLICY.latency_p95 or 0.0) / 1000


@dataclass
class Outcome:
    """What became of a load."""

    requests: float = 0.0
    over: float = 0.0
    """Requests that took longer than the target."""
    replica_hours: float = 0.0
    changes: int = 0


def simulate(shape: Shape, rule: Rule, tick: float = 1.0) -> Outcome:
    """Run a load from its beginning to its end."""
    first = rule.count if isinstance(rule, Fixed) else POLICY.min
    outcome, queue, replicas = Outcome(), 0.0, first
    ready, told, starting = first, first, deque[float]()
    measured: deque[tuple[float, float]] = deque(maxlen=int(WINDOW / tick))
    busy, due, at = 0.0, 0.0, 0.0
    while at < shape.seconds:
        while starting and starting[0] <= at:
            starting.popleft()
            ready += 1
        arriving = shape.rate(at) * tick
        room = ready * LIMIT / WORK * tick
        served = min(queue + arriving, room)
        waiting, queue = queue / (room / tick), queue + arriving - served
        load = min(served / room, 0.99)
        outcome.requests += arriving
        outcome.over += arriving * _slower(TARGET, load, waiting)
        outcome.replica_hours += replicas * tick / 3600
        measured.append((arriving, _p95(load, waiting)))
        busy += served * WORK
        at += tick
        if at >= due + INTERVAL:
            wanted = rule(_samples(shape, at, ready, told, replicas, busy, measured, tick), at)
            busy, due = 0.0, at
            if wanted != replicas:
                outcome.changes += 1
                starting.extend([at + START] * max(0, wanted - replicas))
                for _ in range(max(0, replicas - wanted)):
                    if starting:
                        starting.pop()
                    else:
                        ready -= 1
                replicas = wanted
            told = ready
    return outcome


def _slower(target: float, load: float, waiting: float) -> float:
    """The share of requests that take longer."""
    left = target - waiting
    return 1.0 if left <= 0 else math.exp(-left * (1 - load) / ALONE)


def _p95(load: float, waiting: float) -> float:
    return waiting + 3.0 * ALONE / (1 - load)


def _samples(
    shape: Shape,
    at: float,
    ready: int,
    told: int,
    replicas: int,
    busy: float,
    measured: deque[tuple[float, float]],
    tick: float,
) -> Samples:
    """Of the replicas that were ready in the round before CPU tells of the load."""
    share, since = 100 * busy / INTERVAL / ready / (POLICY.cpu_base or 1.0), min(told, ready)
    found = (ReplicaSample(True, share),) * since
    found += (ReplicaSample(True, share, tells=False),) * (ready - since)
    found += (ReplicaSample(False),) * (replicas - ready)
    if shape.blind is not None and shape.blind[0] <= at < shape.blind[1]:
        return Samples(replicas, found)
    arrived = sum(count for count, _ in measured)
    slow = sum(count * p95 for count, p95 in measured)
    rate = arrived / (len(measured) * tick)
    return Samples(replicas, found, rate, 1000 * slow / arrived if arrived else None)
