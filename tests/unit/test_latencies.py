"""The gateway's access log → how fast each replica answers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msctl.monitoring.latencies import Slow, percentile, read_answers, slow_ones


def entry(address: str, milliseconds: float, status: int = 200) -> str:
    return json.dumps(
        {"ServiceAddr": address, "Duration": milliseconds * 1e6, "DownstreamStatus": status}
    )


def test_answers_are_told_by_replica() -> None:
    """Whatever its port; a WebSocket is no answer, and other lines are passed over."""
    log = [
        entry("10.0.0.1:8000", 5),
        entry("10.0.0.1:8001", 7.5),
        entry("10.0.0.2:8000", 9, status=500),
        entry("[fd00::1]:8000", 1),
        entry("10.0.0.1:8000", 60_000, status=101),
        '{"level":"info","ServiceAddr": 3}',
        '{"ServiceAddr"',
        "time=now msg=started",
        '{"DownstreamStatus":404,"Duration":1000}',
    ]
    assert read_answers(log) == {"10.0.0.1": (5, 7.5), "10.0.0.2": (9,), "fd00::1": (1,)}


@given(st.text())
def test_no_line_is_too_strange(line: str) -> None:
    """What containers write is theirs to choose."""
    assert read_answers([line, '"ServiceAddr"' + line, f'{{"ServiceAddr": {line!r}}}']) == {}


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_one_of_the_times(times: list[float], share: float) -> None:
    """And so many are not longer."""
    found = percentile(times, share)
    assert found in times
    assert sum(time <= found for time in times) >= share * len(times) - 1e-6


def test_without_answers_there_is_no_percentile() -> None:
    """Nothing is 0 that is unknown."""
    assert percentile([], 0.95) is None


@pytest.mark.parametrize(
    ("own", "others", "slow"),
    [
        pytest.param([900.0] * 10, [50.0] * 20, Slow(900.0, 50.0), id="slow"),
        pytest.param([900.0] * 9, [50.0] * 20, None, id="too few answers"),
        pytest.param([900.0] * 10, [50.0] * 9, None, id="too few of the others"),
        pytest.param([30.0] * 10, [2.0] * 20, None, id="not worth a word"),
        pytest.param([900.0] * 10, [400.0] * 20, None, id="not three times as long"),
        pytest.param([50.0] * 6 + [9e3] * 4, [50.0] * 20, None, id="some are long"),
    ],
)
def test_a_slow_replica_stands_out(
    own: list[float], others: list[float], slow: Slow | None
) -> None:
    """By its middle answer, held against all those of the others."""
    found = slow_ones({"one": own, "two": others[:10], "three": others[10:]})
    assert found.get("one") == slow
    assert not found.keys() - {"one"}
