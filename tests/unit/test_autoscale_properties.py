"""What holds for every load: bounds, direction, calm."""

from __future__ import annotations

import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from msctl.autoscale.decide import decide
from msctl.autoscale.policy import Policy
from msctl.autoscale.records import History, ReplicaSample, Samples

values = st.floats(min_value=0, max_value=1e4)
odd = st.none() | st.just(math.nan) | st.just(math.inf) | st.floats(-1e3, 1e6)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    low = draw(st.integers(1, 20))
    targets = draw(st.tuples(*[st.none() | st.floats(1, 200)] * 2))
    latency = None if any(targets) and draw(st.booleans()) else draw(st.floats(1, 2000))
    return Policy(
        min=low,
        max=draw(st.integers(low, 60)),
        cpu=targets[0],
        cpu_base=1.0,
        rps=targets[1],
        latency_p95=latency,
        stabilize_down=draw(st.sampled_from([0.0, 30.0, 300.0])),
    )


@st.composite
def samples(draw: st.DrawFn, figures: st.SearchStrategy[float | None] = odd) -> Samples:
    replicas = draw(st.lists(st.builds(ReplicaSample, st.booleans(), figures), max_size=12))
    current = draw(st.integers(1, 40))
    return Samples(current, tuple(replicas), draw(figures), draw(figures))


@given(policies(), st.lists(samples(), min_size=1, max_size=8), st.floats(0.1, 60))
def test_never_outside_the_bounds(policy: Policy, rounds: list[Samples], step: float) -> None:
    """Whatever is measured, and however odd: what runs inside the bounds stays there."""
    history, current = History(), policy.min
    for number, found in enumerate(rounds):
        now = step * number
        decision = decide(policy, replace(found, current=current), history, now)
        assert policy.min <= decision.replicas <= policy.max
        history = decision.history.changed(now, current, decision.replicas)
        current = decision.replicas


@given(policies(), samples(), st.floats(0, 1e6))
def test_the_same_input_gives_the_same_decision(policy: Policy, found: Samples, now: float) -> None:
    """No clock, no chance."""
    assert repr(decide(policy, found, History(), now)) == repr(
        decide(policy, found, History(), now)
    )


@given(policies(), samples(values), st.floats(1, 3))
def test_more_load_never_asks_for_fewer(policy: Policy, found: Samples, factor: float) -> None:
    """All metrics rise together: the decision does not fall."""
    policy = replace(policy, stabilize_down=0.0)
    rps, p95 = found.rps or 1.0, found.latency_p95 or 1.0
    replicas = found.replicas
    less = Samples(found.current, replicas, rps, p95)
    more = Samples(
        found.current,
        tuple(replace(one, cpu=(one.cpu or 0.0) * factor) for one in replicas),
        rps * factor,
        p95 * factor,
    )
    below, above = (decide(policy, one, History(), 0.0).replicas for one in (less, more))
    assert below <= above


@given(policies(), st.integers(1, 20), st.floats(0.9, 1.1))
def test_nothing_changes_inside_the_tolerance(policy: Policy, count: int, ratio: float) -> None:
    """Each metric within a tenth of its target: the replicas stay."""
    current = min(max(count, policy.min), policy.max)
    replicas = (ReplicaSample(True, (policy.cpu or 1) * ratio),) * current
    rps = (policy.rps or 1) * current * ratio
    found = Samples(current, replicas, rps, (policy.latency_p95 or 1) * ratio)
    policy = replace(policy, stabilize_down=0.0)
    assert decide(policy, found, History(), 0.0).replicas == current


@given(policies(), samples(values), st.sampled_from(["cpu", "rps", "latency_p95"]))
def test_a_missing_metric_never_takes_replicas(policy: Policy, found: Samples, lost: str) -> None:
    """Unless the bounds do."""
    policy = replace(policy, stabilize_down=0.0)
    if getattr(policy, lost) is None:
        return
    current = min(max(found.current, policy.min), policy.max)
    found = replace(found, current=current)
    if lost == "cpu":
        found = replace(found, replicas=tuple(replace(r, cpu=None) for r in found.replicas))
    elif lost == "rps":
        found = replace(found, rps=None)
    else:
        found = replace(found, rps=1.0, latency_p95=math.nan)
    assert decide(policy, found, History(), 0.0).replicas >= current


@given(st.lists(st.booleans(), min_size=2, max_size=40), st.integers(2, 10))
def test_flapping_load_does_not_flap_the_replicas(ups: list[bool], peak: int) -> None:
    """Inside the window there are only steps up, however often the load comes and goes."""
    policy = Policy(min=1, max=20, rps=10.0, stabilize_down=1e9)
    history, current = History(), 1
    for number, up in enumerate(ups):
        rps = 10.0 * peak if up else 5.0
        found = Samples(current, (ReplicaSample(True),) * current, rps)
        decision = decide(policy, found, history, 15.0 * number)
        assert decision.replicas >= current
        history = decision.history.changed(15.0 * number, current, decision.replicas)
        current = decision.replicas


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=60), st.floats(1, 60))
def test_never_below_what_the_window_asked_for(loads: list[float], step: float) -> None:
    """At each step down, no recommendation of the last 300 s was higher than what is left."""
    policy = Policy(min=1, max=1000, rps=10.0, stabilize_down=300.0)
    history, current, asked = History(), 1, list[tuple[float, int]]()
    for number, rps in enumerate(loads):
        now = step * number
        found = Samples(current, (ReplicaSample(True),) * current, rps)
        decision = decide(policy, found, history, now)
        ratio = rps / 10 / current
        calm = abs(ratio - 1) <= 0.1
        asked.append((now, current if calm else math.ceil(rps / 10 - 1e-6)))
        if decision.replicas < current:
            window = [count for at, count in asked if at > now - 300.0]
            assert decision.replicas >= max(window)
        assert len(decision.history.recommendations) <= len(asked) + 1
        history = decision.history.changed(now, current, decision.replicas)
        current = decision.replicas


@given(policies(), samples(values))
def test_the_reason_is_one_readable_line(policy: Policy, found: Samples) -> None:
    """It is printed as it is."""
    assert decide(policy, found, History(), 0.0).reason.isprintable()
