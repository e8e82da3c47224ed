"""Corner cases of the Horizontal Pod Autoscaler's controller, with what its code comes to.

Worked out by `pkg/controller/podautoscaler/replica_calculator.go` (`GetResourceReplicas`,
`groupPods`) and `horizontal.go` (`stabilizeRecommendationWithBehaviors`,
`calculateScaleUpLimitWithScalingRules`) of Kubernetes, with `behavior` as msctl renders it: of the
rates upwards the one that allows most. Where msctl differs on purpose, the case says so.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from msctl.autoscale.decide import decide
from msctl.autoscale.policy import Policy
from msctl.autoscale.recommend import readings
from msctl.autoscale.records import History, ReplicaSample, Samples

CPU = Policy(min=1, max=100, cpu=50.0, cpu_base=1.0)
RPS = Policy(min=1, max=100, rps=10.0)
UNREADY = ReplicaSample(False)


def pods(*values: float | None, unready: int = 0) -> tuple[ReplicaSample, ...]:
    return tuple(ReplicaSample(True, value) for value in values) + (UNREADY,) * unready


@pytest.mark.parametrize(
    ("target", "replicas", "wanted"),
    [
        # The ratio alone.
        pytest.param(50, pods(55, 55), 2, id="1.1: tolerated"),
        pytest.param(50, pods(45, 45), 2, id="0.9: tolerated"),
        pytest.param(50, pods(56, 56), 3, id="1.12 x 2"),
        pytest.param(50, pods(44, 44), 2, id="0.88 x 2, rounded up to what there is"),
        pytest.param(50, pods(0, 0, 0), 0, id="idle: none is asked for"),
        # Samples that are missing.
        pytest.param(50, pods(5, 5, 5, None), 3, id="down: as 100 % of the request, 0.575 x 4"),
        pytest.param(50, pods(40, 40, 40, None), 4, id="down: 220/4 = 55, tolerated"),
        pytest.param(50, pods(40, None), 2, id="down: 140/2 = 70 would turn it round"),
        pytest.param(150, pods(60, 60, None), 2, id="down, a target over 100 %: as the target"),
        pytest.param(50, pods(200, 200, None), 8, id="up: as 0, 400/3 = 133"),
        pytest.param(50, pods(70, None), 2, id="up: 70/2 = 35 would turn it round"),
        pytest.param(50, pods(80, 80, None), 3, id="up: 160/3 = 53, tolerated"),
        pytest.param(50, pods(50, None), 2, id="neither: nothing"),
        # Replicas that are not ready.
        pytest.param(50, pods(90, 90, unready=1), 4, id="up: as 0, 180/3 = 60"),
        pytest.param(50, pods(90, 90, unready=3), 5, id="up: 180/5 = 36 would turn it round"),
        pytest.param(50, pods(10, 10, unready=3), 1, id="down: not at all, 0.2 x 2"),
        pytest.param(50, pods(48, 48, unready=3), 5, id="within the tolerance: what there is"),
        pytest.param(50, pods(unready=3), None, id="none is ready: not known"),
        pytest.param(50, pods(None, None), None, id="no sample: not known"),
        # Both.
        pytest.param(50, pods(200, None, unready=1), 4, id="up: both as 0, 200/3 = 67"),
        pytest.param(50, pods(10, None, unready=2), 4, id="down: 110/2 = 55, tolerated"),
    ],
)
def test_processors(target: float, replicas: tuple[ReplicaSample, ...], wanted: int | None) -> None:
    """What `GetResourceReplicas` asks for."""
    [reading] = readings(replace(CPU, cpu=target), Samples(len(replicas), replicas))
    assert reading.replicas == wanted


@pytest.mark.parametrize(
    ("replica", "wanted"),
    [
        pytest.param(ReplicaSample(True, 400.0, tells=False), 2, id="ready since a moment: as 0"),
        pytest.param(ReplicaSample(False, 100.0, tells=True), 4, id="overloaded: as it is"),
        pytest.param(ReplicaSample(False, 400.0), 2, id="it starts: as 0"),
    ],
)
def test_the_start_of_a_replica_is_no_load(replica: ReplicaSample, wanted: int) -> None:
    """For the CPU initialization period a sample counts from the first that was taken all while it
    was ready; one that was ready and is not any more counts."""
    [reading] = readings(CPU, Samples(2, (ReplicaSample(True, 100.0), replica)))
    assert reading.replicas == wanted


def test_a_dear_start_does_not_bring_the_next() -> None:
    """Each replica burns four processors until it is ready: what is asked for does not rise by
    that, round after round."""
    busy, current = (ReplicaSample(True, 75.0),) * 2, 2
    for _ in range(10):
        starting = (ReplicaSample(True, 400.0, tells=False),) * (current - 2)
        [reading] = readings(CPU, Samples(current, busy + starting))
        current = reading.replicas or 0
    assert current == 3


def test_a_service_whose_replicas_all_fail_their_checks_under_load_gets_more() -> None:
    """They were ready, and are too busy to answer."""
    drowned = (ReplicaSample(False, 200.0, tells=True),) * 2
    assert decide(CPU, Samples(2, drowned), History(), 0.0).replicas == 6


METRICS = Policy(min=2, max=6, cpu=50.0, cpu_base=1.0, rps=10.0, stabilize_down=0.0)


@pytest.mark.parametrize(
    ("current", "cpu", "rps", "wanted"),
    [
        pytest.param(4, 75, 20, 6, id="the larger of two"),
        pytest.param(4, 25, 100, 6, id="the larger, within max"),
        pytest.param(4, None, 60, 6, id="one unknown, the other asks for more: more"),
        pytest.param(4, None, 20, 4, id="one unknown, the other asks for fewer: nothing"),
        pytest.param(4, None, 40, 4, id="one unknown, the other asks for what there is: nothing"),
        pytest.param(4, None, None, 4, id="none is known: nothing"),
        pytest.param(9, None, None, 6, id="above max, whatever is known"),
        pytest.param(9, 75, 900, 6, id="above max, whatever is asked for"),
        pytest.param(1, None, None, 2, id="below min, whatever is known"),
        pytest.param(1, 0, 0, 2, id="below min, whatever is asked for"),
        pytest.param(2, 0, 0, 2, id="at min, fewer are asked for"),
        pytest.param(6, 400, 900, 6, id="at max, more are asked for"),
    ],
)
def test_several_metrics_and_bounds(
    current: int, cpu: float | None, rps: float | None, wanted: int
) -> None:
    """What `computeReplicasForMetrics` and `reconcileAutoscaler` come to."""
    samples = Samples(current, (ReplicaSample(True, cpu),) * current, rps)
    assert decide(METRICS, samples, History(), 0.0).replicas == wanted


def flow(policy: Policy, current: int, *rates: float) -> list[int]:
    """The replicas of a service, round by round, under these requests a second."""
    history, found = History(), []
    for number, rps in enumerate(rates):
        now = 15.0 * number
        samples = Samples(current, (ReplicaSample(True),) * current, rps)
        decision = decide(policy, samples, history, now)
        history = decision.history.changed(now, current, decision.replicas)
        current = decision.replicas
        found.append(current)
    return found


@pytest.mark.parametrize(
    ("window", "first", "rates", "counts"),
    [
        pytest.param(300, 1, [900] * 6, [5, 10, 20, 40, 80, 90], id="4 or 100 % in 15 s"),
        pytest.param(300, 2, [70] * 2, [6, 7], id="4 are more than 100 % of 2"),
        pytest.param(60, 8, [20] * 6, [8, 8, 8, 8, 2, 2], id="down after 60 s of fewer"),
        pytest.param(
            60,
            8,
            [20, 50, 20, 20, 20, 20, 20],
            [8, 8, 8, 8, 5, 2, 2],
            id="down to the highest of the last 60 s",
        ),
        pytest.param(60, 8, [20, 20, 120, 20], [8, 8, 12, 12], id="up at once, within the window"),
        pytest.param(0, 8, [20, 900], [2, 6], id="what went 15 s ago is forgotten"),
        pytest.param(60, 4, [900, 20], [8, 8], id="msctl: a refused recommendation is over"),
    ],
)
def test_windows_and_rates(
    window: float, first: int, rates: list[float], counts: list[int]
) -> None:
    """The highest recommendation of the window downwards, none upwards; of the rates upwards the
    one that allows most, counted from what there was 15 s ago."""
    assert flow(replace(RPS, stabilize_down=window), first, *rates) == counts


def test_what_went_within_the_period_may_come_back_at_once() -> None:
    """The rate counts from what there was 15 s ago: eight, of which six went since."""
    history = History(((0.0, 2),), changes=((0.0, -6),))
    samples = Samples(2, (ReplicaSample(True),) * 2, 900.0)
    assert decide(RPS, samples, history, 10.0).replicas == 16
