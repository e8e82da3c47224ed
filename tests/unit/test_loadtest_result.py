"""The figures of a load test."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msctl.loadtest.outcome import Outcome
from msctl.loadtest.result import ReplicaShare, remarks, result
from msctl.loadtest.shape import Shape, shape
from msctl.loadtest.statistics import Histogram, Latency
from msctl.loadtest.traffic import Traffic

LATENCIES = st.lists(st.floats(0.000_001, 3000), min_size=1, max_size=200)
OPEN = shape(rate=10, requests=100)


def outcomes(count: int, *, rate: float = 10, late: float = 0.0, **more: Any) -> list[Outcome]:
    return [
        Outcome(n, n / rate, n / rate + late, n / rate + late + 0.01, **{"status": 200, **more})
        for n in range(count)
    ]


def spread(count: int, *names: str) -> Traffic:
    return Traffic({n: names[n % len(names)] for n in range(count)}, names)


@settings(deadline=None)
@given(LATENCIES, st.sampled_from([50, 90, 95, 99, 100]))
def test_a_percentile_is_right_to_three_digits(found: list[float], percent: float) -> None:
    """It is the value of the nearest rank, within a thousandth (or the microsecond)."""
    rank = max(1, math.ceil(len(found) * percent / 100 - 1e-9))
    exact = sorted(found)[rank - 1] * 1000
    value = Histogram(found).percentile(percent)
    assert value == pytest.approx(exact, rel=0.0011, abs=0.0016)


@settings(deadline=None)
@given(LATENCIES)
def test_figures_are_in_their_order(found: list[float]) -> None:
    """min ≤ p50 ≤ p90 ≤ p95 ≤ p99 ≤ max, and the average lies between the ends."""
    figures = Histogram(found).latency()
    ordered = [
        figures.min, figures.p50, figures.p90, figures.p95, figures.p99, figures.max,
    ]  # fmt: skip
    known = [value for value in ordered if value is not None]
    assert known == sorted(known)
    assert len(known) == 6
    assert figures.min is not None
    assert figures.max is not None
    assert figures.avg is not None
    assert figures.min - 0.001 <= figures.avg <= figures.max + 0.001


def test_without_an_answer_nothing_is_made_up() -> None:
    """No latency, no rate, no evenness; not a 0."""
    found = result("web", OPEN, [], Traffic(known=("web-1",)))
    assert found.latency_ms == Latency()
    assert (found.rate, found.evenness, found.requests) == (None, None, 0)
    assert found.replicas == (ReplicaShare("web-1", 0, None),)


def test_latency_counts_from_the_intended_start() -> None:
    """A stall of this machine or of the stack is in every request that it held up."""
    stalled = [Outcome(n, n / 10, 5.0, 5.01, 200) for n in range(50)]
    figures = result("web", OPEN, stalled, spread(50, "web-1")).latency_ms
    assert figures.max == pytest.approx(5010)
    assert figures.p50 == pytest.approx(2510, rel=0.01)
    assert figures.min == pytest.approx(110)


def test_a_timeout_is_a_latency_and_a_refused_connection_is_none() -> None:
    """The first took at least that long; the second says nothing of the service."""
    mixed = [
        Outcome(0, 0.0, 0.0, 0.01, 200),
        Outcome(1, 0.0, 0.0, 10.0, None, "timeout"),
        Outcome(2, 0.0, 0.0, 0.001, None, "connection refused"),
    ]
    found = result("web", OPEN, mixed, Traffic({0: "web-1"}, ("web-1",)))
    assert (found.latency_ms.min, found.latency_ms.max) == (10.0, 10_000.0)
    assert (found.succeeded, found.failed) == (1, 2)
    assert found.statuses == {"200": 1, "connection refused": 1, "timeout": 1}


@pytest.mark.parametrize(("status", "failed"), [(101, 0), (204, 0), (307, 0), (400, 1), (503, 1)])
def test_an_answer_from_400_is_a_failure(status: int, failed: int) -> None:
    """What the service or the gateway refuses is no success; a redirect is an answer."""
    assert result("web", OPEN, outcomes(1, status=status), Traffic()).failed == failed


@pytest.mark.parametrize(
    ("load", "found", "rate"),
    [
        (OPEN, outcomes(100), 10.0),
        (OPEN, outcomes(1), None),
        (shape(concurrency=4), outcomes(100), round(100 / 9.91, 2)),
    ],
)
def test_the_rate_is_that_of_the_starts(
    load: Shape, found: list[Outcome], rate: float | None
) -> None:
    """Open loop: by the starts alone, so that a slow last answer does not lower it."""
    assert result("web", load, found, Traffic()).rate == rate


@settings(deadline=None)
@given(st.lists(st.integers(0, 50), min_size=1, max_size=8).filter(any))
def test_shares_and_evenness_follow_from_the_counts(counts: list[int]) -> None:
    """Shares add up to 1; evenness is between 1 and the number of replicas."""
    names = [f"web-{n}" for n in range(len(counts))]
    numbers = [name for name, count in zip(names, counts, strict=True) for _ in range(count)]
    traffic = Traffic(dict(enumerate(numbers)), tuple(names))
    found = result("web", OPEN, outcomes(len(numbers)), traffic)
    assert found.replicas is not None
    assert [share.requests for share in found.replicas] == counts
    assert sum(share.share or 0 for share in found.replicas) == pytest.approx(1, abs=0.001)
    assert found.evenness is not None
    assert 0.999 <= found.evenness <= len(counts) + 0.001


def test_even_is_1() -> None:
    """Five replicas with the same share, and one that has all."""
    names = [f"web-{n}" for n in range(5)]
    assert result("web", OPEN, outcomes(100), spread(100, *names)).evenness == 1.0
    alone = Traffic(dict.fromkeys(range(100), "web-0"), tuple(names))
    assert result("web", OPEN, outcomes(100), alone).evenness == 5.0


# Remarks


def said(load: Shape, found: list[Outcome], traffic: Traffic) -> list[str]:
    return list(remarks(load, found, result("web", load, found, traffic), traffic))


def test_a_good_test_needs_no_remark() -> None:
    """The figures speak for themselves."""
    assert said(OPEN, outcomes(100), spread(100, "web-1", "web-2")) == []


def test_a_rate_that_was_not_reached_is_told() -> None:
    """With the rate that was."""
    slow = [Outcome(n, n / 10, n / 5, n / 5 + 0.01, 200) for n in range(100)]
    [remark] = said(OPEN, slow, spread(100, "web-1"))
    assert "this machine did not reach 10 requests/s: it started 5/s" in remark


def test_late_starts_are_told() -> None:
    """A rate that was reached in the end may still have begun late."""
    [remark] = said(OPEN, outcomes(100, late=0.2), spread(100, "web-1"))
    assert "started some requests late (p99 200 ms)" in remark


def test_what_the_log_lacks_is_told() -> None:
    """What the counts do not hold, and why."""
    traffic = Traffic({0: "web-1"}, ("web-1",), 3, 1, {"other@docker": 2}, 4)
    told = "\n".join(said(OPEN, outcomes(100), traffic))
    assert "3 of 100 requests are not in the gateway's access log" in told
    assert "the gateway answered 1 request itself" in told
    assert "2 requests went to other@docker" in told
    assert "sent 4 requests again" in told
    assert said(OPEN, outcomes(2), Traffic(error="no driver")) == [
        "requests per replica are not known: no driver"
    ]
