"""Rules of scaling, held against each other: the table of the README, and the time of a round."""

from __future__ import annotations

import time

from autoscaling import RULES, SHAPES, simulate
from autoscaling.rules import Msctl
from autoscaling.shapes import of_a_fleet

from msctl.autoscale import History, ReplicaSample, Samples, decide

FLEET = 1000


def test_rules() -> None:
    """msctl costs less than a fixed number for the peak, and does not let more requests wait than
    rules that go one by one; the same again gives the same."""
    print("\n| load | rule | over 500 ms | replica-hours | changes |\n|---|---|---|---|---|")
    over = dict.fromkeys(RULES, 0.0)
    for shape in SHAPES:
        found = {name: simulate(shape, rule(shape)) for name, rule in RULES.items()}
        for name, one in found.items():
            over[name] += one.over
            share = f"{100 * one.over / one.requests:.2f} %"
            print(f"| {shape.name} | {name} | {share} | {one.replica_hours:.1f} | {one.changes} |")
        assert found["msctl"].replica_hours < found["fixed, for the peak"].replica_hours
    assert over["msctl"] < over["±1, 300 s cooldown"]
    assert simulate(SHAPES[0], RULES["msctl"](SHAPES[0])) == simulate(SHAPES[0], Msctl())


def test_a_fleet() -> None:
    """A thousand services of all sizes and phases, an hour each."""
    print("\n| 1,000 services | over 500 ms | replica-hours | changes |\n|---|---|---|---|")
    shapes = [of_a_fleet(number) for number in range(FLEET)]
    for name in ("msctl", "fixed, for the peak", "±1, 60 s cooldown", "±1, 300 s cooldown"):
        rule = RULES[name]
        found = [simulate(shape, rule(shape), tick=5.0) for shape in shapes]
        share = 100 * sum(one.over for one in found) / sum(one.requests for one in found)
        hours, changes = sum(o.replica_hours for o in found), sum(o.changes for o in found)
        print(f"| {name} | {share:.2f} % | {hours:.0f} | {changes} |")


def test_a_round_of_a_thousand() -> None:
    """Decided in less than a tenth of a second."""
    policy, histories = Msctl().policy, [History() for _ in range(FLEET)]
    samples = [
        Samples(4, (ReplicaSample(True, 40.0 + number % 50),) * 4, 100.0 + number % 200, 200.0)
        for number in range(FLEET)
    ]
    times = []
    for round_ in range(20):
        began = time.perf_counter()
        decisions = [
            decide(policy, one, history, 15.0 * round_)
            for one, history in zip(samples, histories, strict=True)
        ]
        times.append(time.perf_counter() - began)
        histories = [decision.history for decision in decisions]
    times.sort()
    print(f"\n{FLEET} services decided in {1000 * times[len(times) // 2]:.0f} ms (median of 20)")
    assert times[len(times) // 2] < 0.1
