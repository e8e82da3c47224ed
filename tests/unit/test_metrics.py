"""What is made of Prometheus's answers, and how it reads."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from drawing import on_terminal
from hypothesis import given
from hypothesis import strategies as st

from msctl.cli.metrics_view import latency, rate, share, view
from msctl.monitoring.metrics import history_times, read_metrics
from msctl.monitoring.queries import Sample, Series
from msctl.ui import Ui
from msctl.views import neutral

NOW = datetime(2030, 1, 1, 1, 0, 0, 123456, tzinfo=UTC)
VALUES = st.lists(
    st.none() | st.floats(0, 1e9, allow_nan=False, allow_infinity=False), min_size=1, max_size=40
)


def test_a_history_ends_now_and_misses_no_request() -> None:
    """15 minutes, a minute each: as long as each value looks back."""
    times = history_times(NOW)
    assert (len(times), times[-1]) == (15, NOW)
    assert {later - earlier for earlier, later in pairwise(times)} == {timedelta(minutes=1)}


def test_what_a_history_does_not_know_is_unknown() -> None:
    """A value is at its time, whatever the clocks' fractions; the others are none."""
    times = history_times(NOW)
    points = {round(times[3].timestamp(), 3): 1.5, round(times[14].timestamp(), 3): 0.0}
    found = read_metrics(
        [],
        [Series({"name": "web", "figure": "rps"}, points)],
        project="shop",
        prometheus="http://x",
        time=NOW,
        services=["web"],
        routers=[],
    )
    history = found.services[0].history
    assert history.rps == (None, None, None, 1.5, *[None] * 10, 0.0)
    assert history.p95_ms == (None,) * 15
    assert history.start == "2030-01-01T00:46:00+00:00"


def test_errors_and_routers_under_a_pin_are_the_services() -> None:
    """What the gateway names by slot is summed; a router of another stack is not told."""
    samples = [
        Sample({"figure": "rps", "name": "web"}, 1.0),
        Sample({"figure": "server_errors", "service": "web@docker"}, 1.0),
        Sample({"figure": "server_errors", "service": "web-a@file"}, 2.0),
        Sample({"figure": "routers", "router": "web-v2@docker"}, 3.0),
        Sample({"figure": "routers", "router": "web-v2-b@file"}, 4.0),
        Sample({"figure": "routers", "router": "other@docker"}, 5.0),
    ]
    found = read_metrics(
        samples,
        [],
        project="shop",
        prometheus="http://x",
        time=NOW,
        services=["web", "api"],
        routers=["web", "web-v2"],
    )
    assert [service.server_errors for service in found.services] == [3.0, None]
    assert [(router.name, router.rps) for router in found.routers] == [
        ("web", None),
        ("web-v2", 7.0),
    ]


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        (rate(None), "-"),
        (rate(0.0), "0.00"),
        (rate(0.001), "<0.01"),
        (rate(0.25), "0.25"),
        (rate(12.34), "12.3"),
        (rate(310.4), "310"),
        (latency(None), "-"),
        (latency(0.84), "0.8ms"),
        (latency(47.6), "48ms"),
        (latency(999.6), "1.0s"),
        (share(0.0), "0%"),
        (share(0.0004), "<0.1%"),
        (share(0.012), "1.2%"),
        (share(1.0), "100%"),
    ],
)
def test_a_figure_is_short_and_something_is_never_nothing(found: str, shown: str) -> None:
    """Digits that tell something; a value that is not 0 does not look like it."""
    assert found == shown


@given(VALUES)
def test_a_line_of_bars_has_a_character_for_each_value(values: list[float | None]) -> None:
    """A blank where nothing is known, the lowest bar for 0, the highest one for the most."""
    drawn = Ui().spark(values)
    assert len(drawn) == len(values)
    assert neutral(drawn) == drawn
    highest = max((value for value in values if value is not None), default=None)
    for value, bar in zip(values, drawn, strict=True):
        assert (bar == " ") == (value is None)
        if value == 0:
            assert bar == Ui().spark([0.0])
        elif value is not None and value == highest:
            assert bar == Ui().spark([0.0, 1.0])[1]


def test_a_line_of_bars_is_ascii_where_that_is_all_there_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a locale without UTF-8."""

    class Latin(io.StringIO):
        encoding = "latin-1"

    monkeypatch.setattr("sys.stdout", Latin())
    assert Ui().spark([0.0, 1.0, None]).isascii()


def test_the_table_fits_a_terminal_of_80_columns() -> None:
    """The longest names are cut, the bars are not."""
    samples = [
        Sample({"figure": figure, "name": "notificationservice"}, value)
        for figure, value in (("rps", 0.0), ("p50_ms", 999.0), ("p99_ms", 9999.0), ("servers", 10))
    ]
    times = history_times(NOW)
    points = {time.timestamp(): float(number) for number, time in enumerate(times)}
    found = read_metrics(
        samples,
        [Series({"name": "notificationservice", "figure": "rps"}, points)],
        project="musicshare",
        prometheus="http://x",
        time=NOW,
        services=["notificationservice"],
        routers=["notificationservice-ws"],
    )
    ui = Ui(color=False)
    terminal = on_terminal(ui)
    ui.show(view(found, ui.spark))
    lines = terminal.getvalue().splitlines()
    assert max(len(line) for line in lines) <= 80
    assert any(line.endswith(ui.spark(list(points.values()))) for line in lines)
