"""How far and how fast a recommendation is followed: windows, rates, bounds, clocks that jump."""

from __future__ import annotations

from dataclasses import replace

import pytest
from measured import RPS, START, at_last, traffic

from msctl.autoscale.decide import decide
from msctl.autoscale.records import History


def test_up_at_once_and_down_after_the_window() -> None:
    """No window upwards; downwards the highest recommendation of 300 s counts."""
    decision = decide(RPS, traffic(2, 300), History(), START)
    assert decision.replicas == 6
    history = decision.history.changed(START, 2, 6)
    for seconds in range(15, 300, 15):
        decision = decide(RPS, traffic(6, 100), history, START + seconds)
        assert decision.replicas == 6
        assert decision.next_down == START + 300
        history = decision.history
    assert decision.reason.endswith("2 would do, down in 15 s at the earliest")
    decision = decide(RPS, traffic(6, 100), history, START + 300)
    assert (decision.replicas, decision.next_down) == (2, None)


def test_down_to_the_highest_of_the_window_only() -> None:
    """A fall in two steps is followed in two steps."""
    history = History()
    for now, rps in ((0.0, 300.0), (100.0, 200.0), (200.0, 100.0)):
        history = decide(RPS, traffic(6, rps), history, now).history
    decision = decide(RPS, traffic(6, 100), history, 301.0)
    assert decision.replicas == 4
    assert decide(RPS, traffic(4, 100), decision.history, 401.0).replicas == 2


def test_a_first_look_is_no_reason_to_go_down() -> None:
    """What there is when the loop begins counts as recommended then."""
    assert decide(RPS, traffic(6, 10), History(), START).replicas == 6
    at_once = replace(RPS, stabilize_down=0.0)
    assert decide(at_once, traffic(6, 10), History(), START).replicas == 1


def test_rates_upwards() -> None:
    """100 % or 4 in 15 s, whichever is more, and what came in the last 15 s counts."""
    decision = decide(RPS, traffic(1, 5000), History(), START)
    assert decision.replicas == 5
    assert "100 are asked for, 5 are the most within 15 s" in decision.reason
    history = decision.history.changed(START, 1, 5)
    assert decide(RPS, traffic(5, 5000), history, START + 5).replicas == 5
    decision = decide(RPS, traffic(5, 5000), history, START + 15)
    assert decision.replicas == 10
    history = decision.history.changed(START + 15, 5, 10)
    assert decide(RPS, traffic(10, 5000), history, START + 30).replicas == 20


def test_bounds() -> None:
    """Never fewer than min nor more than max, and what is outside is brought in at once."""
    policy = replace(RPS, min=2, max=6)
    assert at_last(policy, traffic(4, 5000)).replicas == 6
    assert "max is 6" in at_last(policy, traffic(5, 5000)).reason
    assert at_last(policy, traffic(4, 1)).replicas == 2
    assert decide(policy, traffic(1, None), History(), START).replicas == 2
    assert decide(policy, traffic(9, None), History(), START).replicas == 6


def test_what_was_unknown_begins_the_window_anew() -> None:
    """A metric that comes back after an hour does not take replicas away in its first second."""
    history, now = History(), START
    for _ in range(240):
        decision = decide(RPS, traffic(6, None), history, now)
        assert (decision.replicas, decision.held) == (6, True)
        history, now = decision.history, now + 15
    decision = decide(RPS, traffic(6, 10), history, now)
    assert (decision.replicas, decision.held) == (6, False)


def test_a_clock_that_is_set_back() -> None:
    """Times that lie ahead are taken for now: the window ends, though later."""
    history = decide(RPS, traffic(6, 300), History(), START).history
    back = decide(RPS, traffic(6, 50), history, 10.0)
    assert back.replicas == 6
    for now in range(20, 310, 15):
        back = decide(RPS, traffic(6, 50), back.history, float(now))
        assert back.replicas == 6
    assert decide(RPS, traffic(6, 50), back.history, 311.0).replicas == 1


def test_a_clock_that_is_set_back_lets_nothing_run_away() -> None:
    """Replicas that came just before count as just come, once more and then no more."""
    history = decide(RPS, traffic(2, 5000), History(), START).history.changed(START, 2, 6)
    back = decide(RPS, traffic(6, 5000), history, START - 3600)
    assert back.replicas == 6
    assert decide(RPS, traffic(6, 5000), back.history, START - 3585).replicas == 12


@pytest.mark.parametrize("gap", [3600.0, 1e9, 151.0])
def test_a_window_that_nobody_watched_has_not_ended(gap: float) -> None:
    """The machine slept, or a clock was set forward: what the load was meanwhile is not known, so
    that the window begins anew. Upwards there is none."""
    history = decide(RPS, traffic(6, 300), History(), START).history
    after = decide(RPS, traffic(6, 50), history, START + gap)
    assert (after.replicas, after.next_down) == (6, START + gap + 300)
    assert decide(RPS, traffic(6, 600), history, START + gap).replicas == 12


def test_a_decision_that_took_long_to_be_carried_out_keeps_the_window() -> None:
    """Some rounds in a row may be missing."""
    history = decide(RPS, traffic(6, 300), History(), START).history
    for now in (150.0, 290.0):
        decision = decide(RPS, traffic(6, 50), history, START + now)
        history = decision.history
        assert decision.next_down == START + 300
    assert decide(RPS, traffic(6, 50), history, START + 301).replicas == 1
