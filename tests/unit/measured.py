"""What was measured of a service in one round, in short."""

from __future__ import annotations

from msctl.autoscale.decide import decide
from msctl.autoscale.policy import Policy
from msctl.autoscale.records import Decision, History, ReplicaSample, Samples

CPU = Policy(min=1, max=100, cpu=50.0, cpu_base=0.5, stabilize_down=300.0)
RPS = Policy(min=1, max=100, rps=50.0, stabilize_down=300.0)
LATENCY = Policy(min=1, max=100, latency_p95=500.0, stabilize_down=300.0)
START = 1000.0


def cpus(*values: float | None, current: int | None = None, unready: int = 0) -> Samples:
    """Ready replicas with these shares, and some that are not ready."""
    replicas = tuple(ReplicaSample(True, value) for value in values)
    replicas += (ReplicaSample(False, 0.0),) * unready
    return Samples(len(replicas) if current is None else current, replicas)


def traffic(current: int, rps: float | None, p95: float | None = None, ready: int = -1) -> Samples:
    ready = current if ready < 0 else ready
    replicas = tuple(ReplicaSample(number < ready) for number in range(current))
    return Samples(current, replicas, rps, p95)


def at_last(policy: Policy, samples: Samples) -> Decision:
    """What is decided when the same was measured throughout the window."""
    history, now = History(), START
    for _ in range(2 + int(policy.stabilize_down / policy.interval)):
        decision = decide(policy, samples, history, now)
        history, now = decision.history, now + policy.interval
    return decision
