"""The Horizontal Pod Autoscaler's rules, case by case, with the figures of its documentation."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import pytest
from measured import CPU, LATENCY, RPS, START, at_last, cpus, traffic

from msctl.autoscale.decide import decide
from msctl.autoscale.policy import Policy
from msctl.autoscale.records import History, ReplicaSample, Samples


@pytest.mark.parametrize(
    ("samples", "wanted"),
    [
        pytest.param(cpus(100, 100), 4, id="200m against 100m: the number doubles"),
        pytest.param(cpus(25, 25), 1, id="50m against 100m: it halves"),
        pytest.param(cpus(55, 55, 55), 3, id="a ratio of 1.1 is tolerated"),
        pytest.param(cpus(45, 45, 45), 3, id="and one of 0.9"),
        pytest.param(cpus(56, 56, 56), 4, id="1.12 is not"),
        pytest.param(cpus(44, 44, 44, 44, 44, 44, 44, 44, 44), 8, id="nor is 0.88"),
        pytest.param(cpus(75, 75, 75, 75), 6, id="4 x 1.5, exactly"),
        pytest.param(cpus(90, 30, 30, 90, 60), 6, id="the average counts"),
        pytest.param(cpus(math.nan, 100, 100), 4, id="NaN is a missing sample"),
        pytest.param(cpus(-5, 100, 100), 4, id="so is what is negative"),
        pytest.param(cpus(1e6), 5, id="no more than 4 at once, or twice as many"),
        pytest.param(cpus(*[1e6] * 6), 12, id="twice as many"),
    ],
)
def test_the_ratio(samples: Samples, wanted: int) -> None:
    """desired = ceil(current x value / target), and nothing within a tenth of the target."""
    assert at_last(CPU, samples).replicas == wanted


@pytest.mark.parametrize(
    ("samples", "wanted"),
    [
        pytest.param(cpus(60, 60, None), 3, id="missing counts as 0 upwards: 120/150"),
        pytest.param(cpus(150, 150, None), 6, id="300/50, still up"),
        pytest.param(cpus(1, 1, 1, None), 3, id="missing counts as 100 % downwards: 103/50"),
        pytest.param(cpus(20, 20, None), 3, id="140/150 = 0.93: nothing"),
        pytest.param(cpus(10, None, None, None), 4, id="310/200: the direction would turn"),
        pytest.param(cpus(None, None), 2, id="no sample at all: nothing"),
    ],
)
def test_missing_samples(samples: Samples, wanted: int) -> None:
    """They hold up what the others ask for, whichever way that is."""
    assert at_last(CPU, samples).replicas == wanted


@pytest.mark.parametrize(
    ("samples", "wanted"),
    [
        pytest.param(cpus(100, 100, unready=2), 4, id="200/(4 x 50) = 1: nothing"),
        pytest.param(cpus(200, 200, unready=2), 8, id="400/50"),
        pytest.param(cpus(60, 60, unready=4), 6, id="the direction would turn: nothing"),
        pytest.param(cpus(20, 20, unready=2), 1, id="downwards they do not count"),
        pytest.param(cpus(unready=3), 3, id="none is ready: nothing"),
        pytest.param(cpus(60, current=4), 4, id="never fewer where more is asked for"),
    ],
)
def test_replicas_that_are_not_ready(samples: Samples, wanted: int) -> None:
    """They count as idle where the ratio asks for more."""
    assert at_last(CPU, samples).replicas == wanted


def test_what_never_gets_ready_does_not_pile_up() -> None:
    """A broken version under load: the ready ones and the target bound the number for ever."""
    history, current = History(), 2
    policy = replace(CPU, latency_p95=500.0)
    for number in range(100):
        replicas = (ReplicaSample(True, 200.0),) * 2 + (ReplicaSample(False),) * (current - 2)
        samples = Samples(current, replicas, rps=100.0, latency_p95=2000.0)
        now = START + 15 * number
        decision = decide(policy, samples, history, now)
        history = decision.history
        if decision.replicas != current:
            history = history.changed(now, current, decision.replicas)
        current = decision.replicas
    assert current == 8


@pytest.mark.parametrize(
    ("samples", "wanted"),
    [
        pytest.param(traffic(2, 200), 4, id="ceil(200/50)"),
        pytest.param(traffic(2, 201), 5, id="ceil(201/50)"),
        pytest.param(traffic(4, 210), 4, id="52.5 a replica is tolerated"),
        pytest.param(traffic(4, 120), 3, id="fewer"),
        pytest.param(traffic(4, 0), 1, id="no requests: min"),
        pytest.param(traffic(2, 200, ready=1), 4, id="readiness does not matter"),
        pytest.param(traffic(2, None), 2, id="unknown: nothing"),
        pytest.param(traffic(2, math.nan), 2, id="NaN: nothing"),
        pytest.param(traffic(2, math.inf), 2, id="infinite: nothing"),
    ],
)
def test_requests_for_each_replica(samples: Samples, wanted: int) -> None:
    """A total by a target for each replica."""
    assert at_last(RPS, samples).replicas == wanted


@pytest.mark.parametrize(
    ("samples", "wanted"),
    [
        pytest.param(traffic(2, 10, 1000), 4, id="twice as slow, twice as many"),
        pytest.param(traffic(2, 10, 545), 2, id="tolerated"),
        pytest.param(traffic(4, 10, 250), 2, id="fast"),
        pytest.param(traffic(4, 0, 9000), 1, id="without traffic it says nothing: min"),
        pytest.param(traffic(4, 0, None), 1, id="without traffic there is none"),
        pytest.param(traffic(4, 5, None), 4, id="unknown: nothing"),
        pytest.param(traffic(4, None, 9000), 4, id="whether there is traffic is unknown: nothing"),
        pytest.param(traffic(4, 10, 1000, ready=1), 4, id="only ready ones are multiplied"),
        pytest.param(traffic(4, 10, 1000, ready=3), 6, id="ceil(2 x 3)"),
        pytest.param(traffic(4, 10, 1000, ready=0), 4, id="none is ready: nothing"),
    ],
)
def test_latency(samples: Samples, wanted: int) -> None:
    """A ratio, which counts while there is traffic."""
    assert at_last(LATENCY, samples).replicas == wanted


ALL = Policy(min=1, max=100, cpu=50.0, cpu_base=1.0, rps=50.0, latency_p95=500.0)


def measured(cpu: float | None, rps: float | None, p95: float | None, count: int = 4) -> Samples:
    return Samples(count, (ReplicaSample(True, cpu),) * count, rps, p95)


@pytest.mark.parametrize(
    ("samples", "wanted", "reason"),
    [
        (measured(75, 100, 250), 6, "cpu 75%, target 50%"),
        (measured(25, 350, 250), 7, "requests/s 87.5 a replica, target 50"),
        (measured(25, 100, 1000), 8, "p95 1000 ms, target 500 ms"),
        (measured(None, 350, None), 7, "requests/s 87.5 a replica, target 50"),
        (measured(25, None, None), 4, "held: the rate of requests is not known and the latency"),
        (measured(None, None, None), 4, "held: no CPU sample of a ready replica"),
        (measured(20, 50, 100), 2, "cpu 20%, target 50%"),
    ],
)
def test_the_largest_of_several_metrics(samples: Samples, wanted: int, reason: str) -> None:
    """What is not known keeps replicas from going, not from coming."""
    decision = at_last(ALL, samples)
    assert (decision.replicas, decision.reason.startswith(reason)) == (wanted, True)


def by_hand(count: int, rps: float | None, number: int = 7) -> Samples:
    return replace(traffic(count, rps), by_hand=number)


def test_a_scale_by_hand_stays_until_the_load_changes() -> None:
    """The same load, or one within the tolerance of it, is no reason; another one is."""
    policy = replace(RPS, stabilize_down=0.0)
    decision = decide(policy, by_hand(6, 100), History(), START)
    assert decision.reason == "scaled by hand to 6, which stays until the load changes"
    for rps in (100.0, 105.0, 95.0, 109.0, None):
        decision = decide(policy, by_hand(6, rps), decision.history, START)
        assert decision.replicas == 6
    decision = decide(policy, by_hand(6, 160), decision.history, START)
    assert decision.replicas == 4
    assert decide(policy, by_hand(6, 100), decision.history, START).replicas == 2


def test_the_load_is_measured_when_the_hand_has_done_its_work() -> None:
    """While replicas still come, figures are those of another number."""
    coming = replace(by_hand(6, 100), replicas=(ReplicaSample(True),) * 2)
    decision = decide(RPS, coming, History(), START)
    decision = decide(RPS, by_hand(6, 300), decision.history, START + 15)
    assert decision.replicas == 6
    assert decide(RPS, by_hand(6, 600), decision.history, START + 30).replicas == 12


def test_a_replica_that_never_gets_ready_does_not_freeze_a_scale_by_hand() -> None:
    """After two minutes the load is measured without it, and then decides again."""
    broken = replace(by_hand(6, 300), replicas=(ReplicaSample(True),) * 5 + (ReplicaSample(False),))
    history = decide(RPS, broken, History(), START).history
    history = decide(RPS, broken, history, START + 120).history
    assert decide(RPS, broken, history, START + 135).replicas == 6
    assert decide(RPS, replace(broken, rps=450.0), history, START + 135).replicas == 9


def test_a_second_scale_by_hand_counts_anew() -> None:
    """And it may be outside the bounds of `autoscale`."""
    policy = replace(RPS, stabilize_down=0.0, max=5)
    first = decide(policy, by_hand(6, 100), History(), START)
    over = decide(policy, by_hand(6, 300), first.history, START)
    assert over.replicas == 5
    again = decide(policy, by_hand(8, 300, number=8), over.history, START)
    assert again.replicas == 8


def test_what_is_not_up_is_left_alone() -> None:
    """`up` starts a service, not its load."""
    decision = decide(RPS, Samples(2, (), 500.0), History(), START)
    assert (decision.replicas, decision.reason, decision.held) == (2, "it is not up", True)


def test_a_thousand_services_in_a_tenth_of_a_second() -> None:
    """With a window full of changing recommendations."""
    histories = []
    for number in range(1000):
        history = History()
        for step in range(20):
            falling = measured(60 - step + number % 7, 400 - 10 * step, 500, count=6)
            history = decide(ALL, falling, history, 15.0 * step).history
        histories.append(history)
    samples = measured(60, 300, 400, count=6)
    times = []
    for _ in range(5):
        began = time.process_time()
        for history in histories:
            decide(ALL, samples, history, 300.0)
        times.append(time.process_time() - began)
    assert min(times) < 0.1
