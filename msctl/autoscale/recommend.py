"""How many replicas each metric asks for: the Horizontal Pod Autoscaler's algorithm. Pure.

Source: kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale, "Algorithm details", and
`pkg/controller/podautoscaler/replica_calculator.go`:

- desired = ceil(current x value / target), and nothing while the ratio is within the tolerance;
- replicas that are not ready count as 0 where the ratio asks for more, and not at all otherwise;
- a missing sample counts as 0 where the ratio asks for more, and where it asks for fewer as all of
  the request, or the target where that is more;
- where these guesses turn the direction round, nothing changes.

CPU is a Resource metric (share of the request), `rps` one of type AverageValue (total by target),
`latency_p95` one of type Value (ratio). Three things differ from there:

- the controller cuts the percentage of CPU to a whole number before it is compared; here it is not,
  so that small targets are kept as well as large ones;
- there a ratio is multiplied by the replicas that are ready, even where that gives fewer than there
  are although more are asked for; here no metric turns its own direction round;
- the average of `rps` is over the replicas that shall be, there over those that are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from msctl.autoscale.policy import TOLERANCE, Policy
from msctl.autoscale.records import Reading, Samples

_EXACT = 1e-9
"""Of what floats get wrong: 1.1 is within 0.1 of 1, and 3 x 0.1 / 0.1 is 3."""


def readings(policy: Policy, samples: Samples) -> Iterator[Reading]:
    """Each metric that has a target."""
    if policy.cpu is not None:
        yield _cpu(policy.cpu, samples)
    if policy.rps is not None:
        yield _rps(policy.rps, samples)
    if policy.latency_p95 is not None:
        yield _latency(policy.latency_p95, samples)


def known(value: float | None) -> float | None:
    """A sample that can be one: neither NaN nor infinite nor negative."""
    return value if value is not None and math.isfinite(value) and value >= 0 else None


def within(ratio: float) -> bool:
    """Whether a ratio of value to target is close enough to 1."""
    return abs(ratio - 1) <= TOLERANCE + _EXACT


def ceil(value: float) -> int:
    return math.ceil(value - _EXACT * max(1.0, value))


def _cpu(target: float, samples: Samples) -> Reading:
    ready = [known(replica.cpu) for replica in samples.replicas if replica.counts]
    found = [value for value in ready if value is not None]
    missing, unready = len(ready) - len(found), len(samples.replicas) - len(ready)
    if not found:
        why = "no CPU sample of a ready replica" if ready else "no replica is ready"
        return Reading("cpu", None, target, None, why_unknown=why)
    average = sum(found) / len(found)
    ratio, count = average / target, len(found)
    more = ratio > 1
    if missing or (unready and more):
        total = sum(found) + (0.0 if more else missing * max(100.0, target))
        count += missing + (unready if more else 0)
        guessed = total / (target * count)
        wanted = samples.current if within(guessed) else ceil(guessed * count)
        if (guessed > 1) is not more:
            wanted = samples.current
        load = guessed * count
    else:
        wanted, load = (samples.current if within(ratio) else ceil(ratio * count)), ratio * count
    return Reading("cpu", average, target, _same_way(ratio, wanted, samples.current), load)


def _rps(target: float, samples: Samples) -> Reading:
    total = known(samples.rps)
    if total is None:
        return Reading("rps", None, target, None, why_unknown="the rate of requests is not known")
    load = total / target
    ratio = load / samples.current
    wanted = samples.current if within(ratio) else ceil(load)
    return Reading("rps", total / samples.current, target, wanted, load)


def _latency(target: float, samples: Samples) -> Reading:
    """It counts only while there is traffic: without any it asks for nothing."""
    total, value = known(samples.rps), known(samples.latency_p95)
    if total == 0:
        return Reading("latency_p95", None, target, 0)
    if total is None or value is None:
        return Reading("latency_p95", None, target, None, why_unknown="the latency is not known")
    ready = sum(replica.ready for replica in samples.replicas)
    if not ready:
        return Reading("latency_p95", value, target, None, why_unknown="no replica is ready")
    ratio = value / target
    wanted = samples.current if within(ratio) else ceil(ratio * ready)
    wanted = _same_way(ratio, wanted, samples.current)
    return Reading("latency_p95", value, target, wanted, ratio * ready)


def _same_way(ratio: float, wanted: int, current: int) -> int:
    """Never fewer where the ratio asks for more, nor the other way round."""
    return max(wanted, current) if ratio > 1 else min(wanted, current)
