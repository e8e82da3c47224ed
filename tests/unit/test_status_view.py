"""A status as a person reads it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msctl.assessment import ReplicaStatus, ServiceStatus, Status
from msctl.assessment.problem import Problem
from msctl.cli.status_view import view
from msctl.ui.layout import laid_out
from msctl.views import Block, Table

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def replica(number: int, **changes: Any) -> ReplicaStatus:
    found = {
        "name": f"shop-web-{number}",
        "id": str(number),
        "number": number,
        "image": "web:1",
        "state": "running",
        "health": "healthy",
        "last_check": None,
        "routed": True,
        "gateway_status": "UP",
        "address": "10.0.0.1",
        "cpu_percent": 12.3,
        "memory_bytes": 2**26,
        "memory_limit_bytes": 2**27,
        "oom_kills": 0,
        "restarts": 0,
        "started_at": "2025-12-31T23:00:00Z",
        "p95_ms": None,
    }
    return ReplicaStatus(**{**found, **changes})


def status(*replicas: ReplicaStatus, problems: int = 0, **traffic: Any) -> Status:
    count = len(replicas)
    figures = {"rps": 10.0, "p50_ms": 1.0, "p95_ms": 20.0, "error_rate": 0.0, **traffic}
    web = ServiceStatus(
        "web", "routed", count, count, count, count, "web:1", **figures, replicas=replicas
    )
    found = [
        Problem("error", "unhealthy", f"service-{n}", None, "ill", "msctl logs")
        for n in range(problems)
    ]
    return Status("shop", "compose", not problems, None, None, (), tuple(found), (web,))


def table(blocks: list[Block]) -> list[list[str]]:
    [found] = [block for block in blocks if isinstance(block, Table)]
    return [[cell.text.strip() for cell in row] for row in found.rows]


def height(blocks: list[Block]) -> int:
    return sum(len(block.rows) + 1 if isinstance(block, Table) else 1 for block in blocks)


def test_the_load_stands_beside_the_health() -> None:
    """A replica's CPU and memory are of its limits; traffic is the service's."""
    rows = table(view(status(replica(1, p95_ms=25.0), replica(2)), now=NOW, load=True))
    assert rows == [
        ["web", "2/2", "2/2", "2/2", "", "", "", "10.0", "20ms", "0.0%"],
        ["web-1", "running", "healthy", "UP", "1h", "12%", "50%", "", "25ms", ""],
        ["web-2", "running", "healthy", "UP", "1h", "12%", "50%", "", "-", ""],
    ]


def test_names_have_room_beside_the_load() -> None:
    """In 80 columns a service of MusicShare's is called what it is called."""
    name = "notificationservice"
    replicas = [replica(n, name=f"shop-{name}-{n}", p95_ms=123.0) for n in (1, 2)]
    one = status(*replicas)
    one = replace(one, services=(replace(one.services[0], name=name),))
    drawn = [line.plain for block in view(one, now=NOW, load=True) for line in laid_out(block, 80)]
    assert drawn[-4:] == [
        "SERVICE                ENGINE   HEALTH   GATEWAY  CPU  MEM  REQ/S  P95    ERRORS",
        "notificationservice    2/2      2/2      2/2                10.0   20ms   0.0%",
        "  …ificationservice-1  running  healthy  UP       12%  50%         123ms",
        "  …ificationservice-2  running  healthy  UP       12%  50%         123ms",
    ]


def test_what_is_not_known_is_a_dash() -> None:
    """Nothing is 0 that is unknown."""
    unknown = replica(1, cpu_percent=None, memory_bytes=None)
    nothing = {"rps": None, "p95_ms": None, "error_rate": None}
    [row] = table(view(status(unknown, **nothing), now=NOW, load=True))
    assert row[5:] == ["-"] * 5


def test_where_room_is_short_replicas_that_are_well_are_left_out() -> None:
    """50 replicas on 24 lines: those in trouble stay, and the others are counted."""
    replicas = [replica(n) for n in range(1, 49)]
    replicas += [replica(49, health="unhealthy"), replica(50, gateway_status="DOWN")]
    rows = table(view(status(*replicas), now=NOW, load=True, room=24))
    assert [row[0] for row in rows] == ["web", "web-49", "web-50", "48 more are well"]


def test_services_come_before_what_is_only_worth_a_word() -> None:
    """MusicShare on 24 lines: all its services, and what is wrong; the infos wait for a look."""
    one = status(replica(1), problems=1)
    infos = [Problem("info", f"left-out-{n}", f"s{n}", None, f"{n}", "hint") for n in range(3)]
    services = tuple(replace(one.services[0], name=f"s{n}") for n in range(14))
    one = replace(one, services=services, problems=(*one.problems, *infos))
    blocks = view(one, now=NOW, load=True, room=24)
    assert [row[0] for row in table(blocks)] == [f"s{n}" for n in range(14)]
    [*_, _, hint, last] = blocks
    assert [hint[1].text, last[0].text] == ["msctl logs", "msctl status shows all"]
    assert height(blocks) < 24
    [*_, last] = view(replace(one, services=services[:5]), now=NOW, load=True, room=24)
    assert last[1].text == "hint"


@pytest.mark.parametrize("load", [False, True])
@given(
    count=st.integers(0, 60),
    ill=st.integers(0, 60),
    problems=st.integers(0, 30),
    room=st.integers(12, 80),
)
def test_a_view_fits_into_its_room(
    load: bool, count: int, ill: int, problems: int, room: int
) -> None:
    """However many replicas and problems there are."""
    replicas = [replica(n, health="unhealthy" if n < ill else "healthy") for n in range(count)]
    found = view(status(*replicas, problems=problems), now=NOW, load=load, room=room)
    assert height(found) <= room
