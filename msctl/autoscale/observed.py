"""What was observed of a stack, as the samples of a decision. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from msctl.autoscale.policy import Policy
from msctl.autoscale.records import ReplicaSample, Samples
from msctl.state import Health, Replica, StackState, Traffic, Usage

BY_HAND = "scale"
"""The cause of an intent that somebody typed; see `msctl.request.Scale`."""
CAUSE = "autoscale"
"""That of ours."""
ODD = 0.5
"""Two clocks that differ by more than this share of the time between two looks do not both go."""


@dataclass(frozen=True)
class Look:
    """What was seen of a replica in one round."""

    at: float
    """Seconds of a clock that does not jump."""
    ready: bool
    was_ready: bool
    """In this round or an earlier one."""
    usage: Usage


Looks = Mapping[str, Look]
"""By container id."""


def looked(
    before: Looks, replicas: Iterable[Replica], usages: Mapping[str, Usage], at: float
) -> Looks:
    """A round's look at these replicas."""
    return {
        one.id: Look(
            at,
            one.healthy,
            one.healthy or (one.id in before and before[one.id].was_ready),
            usages.get(one.id, Usage(None, None)),
        )
        for one in replicas
    }


def samples_of(
    service: str, policy: Policy, state: StackState, before: Looks, now: Looks, traffic: Traffic
) -> Samples:
    """A service's samples, of two looks at its replicas."""
    intent, replicas = state.intent(service), state.of(service)
    return Samples(
        current=len(replicas) if intent is None else intent.replicas,
        replicas=tuple(
            _sample(one, policy, before.get(one.id), now.get(one.id)) for one in replicas
        ),
        rps=traffic.rps,
        latency_p95=traffic.p95_ms,
        by_hand=intent.generation if intent is not None and intent.cause == BY_HAND else None,
    )


def _sample(
    replica: Replica, policy: Policy, before: Look | None, now: Look | None
) -> ReplicaSample:
    if policy.cpu is None or now is None:
        return ReplicaSample(replica.healthy)
    busy = processors(before, now)
    share = None if busy is None else 100 * busy / (policy.cpu_base or 1.0)
    return ReplicaSample(replica.healthy, share, _tells(replica, before, now))


def _tells(replica: Replica, before: Look | None, now: Look) -> bool:
    """Whether a replica's CPU tells of its load, as `groupPods` of `replica_calculator.go` has it.

    What a replica spends on its start is no load: it counts from the first sample that was taken
    all while it was ready. One that was ready and now fails its check, overloaded perhaps, counts.
    """
    if replica.healthy:
        return before is None or before.ready
    return replica.running and replica.health is Health.UNHEALTHY and now.was_ready


def is_unfinished(service: str, state: StackState) -> bool:
    """Whether a change of its number was begun and is not done: replicas lack, were never started
    or are left over, or a pin still keeps requests from some.

    Not where replicas differ in what they were made of: that is an update, which `up` goes on with.
    """
    intent, replicas = state.intent(service), state.of(service)
    if intent is None or len({(one.config_hash, one.image_id) for one in replicas}) != 1:
        return False
    pinned = state.gateway is not None and state.gateway.pinned(service) is not None
    between = any(one.leaving or one.state == "created" for one in replicas)
    return len(replicas) != intent.replicas or between or pinned


def processors(before: Look | None, now: Look) -> float | None:
    """Processors kept busy since the look before; of a replica that is new, at this moment."""
    after = now.usage
    if before is None or before.usage.spent is None or before.usage.at is None:
        return after.cpus
    if after.spent is None or after.at is None:
        return after.cpus
    busy, passed = after.spent - before.usage.spent, after.at - before.usage.at
    # It was started anew, or whoever counted set the clock: only the moment is known.
    odd = abs(passed - (now.at - before.at)) > max(1.0, ODD * (now.at - before.at))
    return busy / passed if busy >= 0 and passed > 0 and not odd else after.cpus
