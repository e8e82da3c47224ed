"""The gateway's own counters: read from its page, and taken from one look to the next."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msctl.autoscale.counters import Counters, quantile, read_counters, traffic_between
from msctl.monitoring.exposition import Line, lines

PAGE = r"""
# HELP traefik_service_requests_total How many
# TYPE traefik_service_requests_total counter
traefik_service_requests_total{code="200",method="GET",service="web@docker"} 10
traefik_service_requests_total{code="500",method="GET",service="web@docker"} 2
traefik_service_requests_total{code="200",method="GET",service="web-a@file"} 5
traefik_service_requests_total{code="200",method="GET",service="web-a@docker"} 70
traefik_service_requests_total{code="200",method="GET",service="other@docker"} 900
traefik_service_requests_total{code="200",method="GET",service="api@internal"} 900
traefik_service_requests_total_more{service="web@docker"} 900
traefik_service_requests_total{service="web@docker" nonsense
traefik_service_requests_total{code="201",service="web@docker"} NaN
traefik_service_request_duration_seconds_bucket{service="web@docker",le="0.1"} 9 1700000000
traefik_service_request_duration_seconds_bucket{service="web@docker",le="1"} 12
traefik_service_request_duration_seconds_bucket{service="web@docker",le="+Inf"} 12
traefik_service_request_duration_seconds_bucket{service="web-b@file",le="0.1"} 1
traefik_service_request_duration_seconds_bucket{service="web-b@file",le="1"} 1
traefik_service_request_duration_seconds_bucket{service="web-b@file",le="+Inf"} 1
"""
NOTHING = Counters(0.0)


def test_a_page_is_read_as_its_format_says() -> None:
    """Labels with escapes and braces in them, time stamps, and odd numbers."""
    page = 'a{x="1",y="q\\"\\\\\\n}"} 1.5e3\na 2\nb{} +Inf\nab 3\n#a 4\na{x="open 5\na five\n'
    assert list(lines(page, "a", "b")) == [
        Line("a", {"x": "1", "y": 'q"\\\n}'}, 1500.0),
        Line("a", {}, 2.0),
        Line("b", {}, math.inf),
    ]


def test_a_service_is_counted_under_every_name() -> None:
    """Its own and those of its pins; `web-a` is another service, unless it is a pin's slot."""
    found = traffic_between(NOTHING, read_counters(PAGE, ["web", "web-a"], 10.0), ["web", "web-a"])
    assert (found["web"].rps, found["web-a"].rps) == (1.7, 7.0)


def test_the_latency_is_that_of_all_names_together() -> None:
    """10 of 13 within 0.1 s, all within 1 s: the 95th percentile is among the last three."""
    found = traffic_between(NOTHING, read_counters(PAGE, ["web"], 10.0), ["web"])
    assert found["web"].p95_ms == pytest.approx(1000 * (0.1 + 0.9 * (0.95 * 13 - 10) / 3))


def test_a_gateway_that_was_started_anew_counts_from_nothing() -> None:
    """As does a pin that comes back."""
    key = ("web", "series")
    before, after = Counters(0.0, {key: 1000.0}), Counters(10.0, {key: 50.0})
    assert traffic_between(before, after, ["web"])["web"].rps == 5.0


def test_a_service_without_requests_has_a_rate_of_0_and_no_latency() -> None:
    """It is known that there were none."""
    page = read_counters(PAGE, ["web"], 10.0)
    found = traffic_between(Counters(5.0, page.requests, page.buckets), page, ["web", "quiet"])
    assert (found["web"].rps, found["web"].p95_ms) == (0.0, None)
    assert (found["quiet"].rps, found["quiet"].p95_ms) == (0.0, None)


def test_without_time_nothing_is_known() -> None:
    """Two looks at the same moment tell no rate."""
    assert traffic_between(NOTHING, NOTHING, ["web"]) == {}


@pytest.mark.parametrize(
    ("buckets", "wanted"),
    [
        ({0.1: 100.0, math.inf: 100.0}, 0.095),
        ({0.1: 0.0, 0.2: 100.0, math.inf: 100.0}, 0.195),
        ({0.1: 50.0, 0.2: 50.0, math.inf: 100.0}, 0.2),
        ({0.1: 0.0, math.inf: 0.0}, None),
        ({}, None),
        ({0.1: 5.0}, None),
    ],
)
def test_a_quantile_is_prometheuss(buckets: dict[float, float], wanted: float | None) -> None:
    """Interpolated in its bucket; beyond the last bound it is that bound."""
    assert quantile(0.95, buckets) == (None if wanted is None else pytest.approx(wanted))


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=12))
def test_a_quantile_lies_within_the_bounds(steps: list[float]) -> None:
    """Whatever was counted."""
    bounds = [*(float(number + 1) for number in range(len(steps) - 1)), math.inf]
    total, buckets = 0.0, {}
    for bound, step in zip(bounds, steps, strict=True):
        total += step
        buckets[bound] = total
    found = quantile(0.95, buckets)
    assert found is None or 0 < found <= bounds[-2]


@given(st.text())
def test_any_page_can_be_read(page: str) -> None:
    """What is no line of the format is passed over."""
    read_counters("traefik_service_requests_total" + page, ["web"], 0.0)
