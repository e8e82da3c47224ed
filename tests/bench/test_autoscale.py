"""Rules of scaling, held against each other: the table of the README, and the time of a round."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from autoscaling import RULES, SHAPES, Outcome, simulate
from autoscaling.rules import Msctl
from autoscaling.shapes import of_a_fleet

from msctl.autoscale.decide import decide
from msctl.autoscale.records import History, ReplicaSample, Samples

FLEET = 1000


def cell(found: Sequence[Outcome]) -> str:
    """Requests over the target, replica-hours, changes."""
    share = 100 * sum(one.over for one in found) / sum(one.requests for one in found)
    hours, changes = sum(o.replica_hours for o in found), sum(o.changes for o in found)
    return f"{share:.2f} %, {hours:,.1f} h, {changes:,}"


def row(first: str, *cells: str) -> str:
    return f"| {' | '.join([first, *cells])} |"


def test_rules() -> None:
    """msctl costs no more than a fixed number for the peak, and lets fewer requests wait than rules
    that go one by one; the same again gives the same."""
    print("\n" + row("load", *RULES) + "\n" + "|---" * (len(RULES) + 1) + "|")
    over = dict.fromkeys(RULES, 0.0)
    for shape in SHAPES:
        found = {name: simulate(shape, rule(shape)) for name, rule in RULES.items()}
        print(row(shape.name, *(cell([one]) for one in found.values())))
        for name, one in found.items():
            over[name] += one.over
        if shape.blind is None:  # where nobody measures, what there is stays
            assert found["msctl"].replica_hours <= found["fixed, for the peak"].replica_hours
    assert over["msctl"] < over["±1, 60 s cooldown"]
    assert simulate(SHAPES[0], Msctl()) == simulate(SHAPES[0], Msctl())


@pytest.mark.timeout(900)
def test_a_fleet() -> None:
    """A thousand services of all sizes and phases, an hour each."""
    shapes, cells = [of_a_fleet(number) for number in range(FLEET)], []
    for rule in RULES.values():
        cells.append(cell([simulate(shape, rule(shape), tick=5.0) for shape in shapes]))
    print("\n" + row(f"{FLEET:,} services", *cells))


def test_a_round_of_a_thousand() -> None:
    """Decided in less than a tenth of a second."""
    policy, histories = Msctl().policy, [History() for _ in range(FLEET)]
    samples = [
        Samples(4, (ReplicaSample(True, 40.0 + number % 50),) * 4, 100.0 + number % 200, 200.0)
        for number in range(FLEET)
    ]
    times = []
    for round_ in range(20):
        began = time.process_time()
        decisions = [
            decide(policy, one, history, 15.0 * round_)
            for one, history in zip(samples, histories, strict=True)
        ]
        times.append(time.process_time() - began)
        histories = [decision.history for decision in decisions]
    times.sort()
    print(f"\n{FLEET} services decided in {1000 * times[len(times) // 2]:.0f} ms (median of 20)")
    assert times[len(times) // 2] < 0.1
