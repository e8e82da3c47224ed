"""What was observed of a stack, as the samples of a decision. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from msctl.autoscale.policy import Policy
from msctl.autoscale.records import ReplicaSample, Samples
from msctl.state import StackState, Traffic, Usage

BY_HAND = "scale"
"""The cause of an intent that somebody typed; see `msctl.request.Scale`."""
CAUSE = "autoscale"
"""That of ours."""


def samples_of(
    service: str,
    policy: Policy,
    state: StackState,
    processors: Mapping[str, float | None],
    traffic: Traffic,
) -> Samples:
    """A service's samples; `processors` that each container keeps busy, by its id."""
    intent, replicas = state.intent(service), state.of(service)
    base = policy.cpu_base or 1.0

    def share(container: str) -> float | None:
        busy = processors.get(container)
        return None if busy is None else 100 * busy / base

    return Samples(
        current=len(replicas) if intent is None else intent.replicas,
        replicas=tuple(ReplicaSample(one.healthy, share(one.id)) for one in replicas),
        rps=traffic.rps,
        latency_p95=traffic.p95_ms,
        by_hand=intent.generation if intent is not None and intent.cause == BY_HAND else None,
    )


def processors_between(
    before: Mapping[str, Usage], after: Mapping[str, Usage]
) -> dict[str, float | None]:
    """Processors kept busy since the round before, by container; of one that is new, at once."""
    return {one: _processors(before.get(one), usage) for one, usage in after.items()}


def _processors(before: Usage | None, after: Usage) -> float | None:
    if before is None or before.spent is None or before.at is None:
        return after.cpus
    if after.spent is None or after.at is None:
        return after.cpus
    busy, passed = after.spent - before.spent, after.at - before.at
    # It was started anew, or the day's end lies between: only the moment is known.
    return busy / passed if busy >= 0 and passed > 0 else after.cpus
