"""A stack's status on a terminal and off it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from drawing import on_terminal

from msctl.assessment import GatewayStatus, ReplicaStatus, ServiceStatus, Status
from msctl.assessment.problem import Problem
from msctl.cli.status_view import age, view
from msctl.ui import Ui

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def replica(number: int, **changes: Any) -> ReplicaStatus:
    found: dict[str, Any] = {
        "name": f"shop-userservice-{number}",
        "id": "0",
        "number": number,
        "image": "shop/userservice:latest",
        "state": "running",
        "health": "healthy",
        "last_check": None,
        "routed": True,
        "gateway_status": "UP",
        "address": f"10.0.0.{number}",
        "cpu_percent": None,
        "memory_bytes": None,
        "memory_limit_bytes": None,
        "oom_kills": 0,
        "restarts": 0,
        "started_at": "2026-03-01T11:56:30.123456789Z",
        "p95_ms": None,
    }
    return ReplicaStatus(**{**found, **changes})


def status(replicas: int, problems: tuple[Problem, ...] = (), **changes: Any) -> Status:
    service = ServiceStatus(
        name="userservice",
        kind="routed",
        desired=replicas,
        running=replicas,
        healthy=replicas,
        routed=replicas,
        image="registry.example.org:5000/shop/userservice:latest",
        rps=None,
        p50_ms=None,
        p95_ms=None,
        error_rate=None,
        replicas=tuple(replica(number, **changes) for number in range(1, replicas + 1)),
    )
    gateway = GatewayStatus("https://localhost", None, True, "traefik:v3.7", (), None)
    return Status("shop", "compose", True, gateway, None, (), problems, (service,))


def test_fifty_replicas_are_readable_at_eighty_columns() -> None:
    """A line each, none longer than the terminal, with the engine's, the check's and the
    gateway's word."""
    ui = Ui(color=False)
    terminal = on_terminal(ui)
    ui.show(view(status(50), now=NOW))
    lines = terminal.getvalue().splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert len(lines) == 54
    assert "50/50 run  50/50 healthy  50/50 UP" in lines[3]
    assert lines[-1].split()[:5] == ["userservice-50", "running", "healthy", "UP", "3m"]


def test_at_forty_columns_the_image_is_left_out_and_no_line_is_broken() -> None:
    """Who is healthy and gets requests stands there still."""
    ui = Ui(color=False)
    terminal = on_terminal(ui, 40)
    ui.show(view(status(2), now=NOW)[-1:])
    assert terminal.getvalue().splitlines() == [
        "SERVICE    ENGINE   HEALTH       GATEWAY",
        "userserv…  2/2 run  2/2 healthy  2/2 UP",
        "  …vice-1  running  healthy      UP",
        "  …vice-2  running  healthy      UP",
    ]


def test_replicas_of_one_service_are_told_apart_at_any_width() -> None:
    """Their numbers are the end of their names."""
    ui = Ui(color=False)
    terminal = on_terminal(ui, 30)
    ui.show(view(status(2), now=NOW, alone=True)[-1:])
    first, second = terminal.getvalue().splitlines()[1:]
    assert (first.split()[0], second.split()[0]) == ("…rvice-1", "…rvice-2")


def test_an_image_that_is_cut_keeps_its_tag() -> None:
    """Name and tag tell more than the registry."""
    ui = Ui(color=False)
    terminal = on_terminal(ui, 70)
    ui.show(view(status(1), now=NOW))
    assert "userservice:latest" in terminal.getvalue()
    assert "registry" not in terminal.getvalue()


def test_a_table_off_a_terminal_is_not_cut(capsys: pytest.CaptureFixture[str]) -> None:
    """`grep` gets the whole of every cell."""
    Ui().show(view(status(1), now=NOW))
    assert "registry.example.org:5000/shop/userservice:latest" in capsys.readouterr().out


def test_problems_alike_are_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Fifty sick replicas of a service are one line, and all stand-ins together are one."""
    sick = [
        Problem("error", "unhealthy", "web", f"web-{n}", f"web-{n} fails", "msctl logs web")
        for n in range(50)
    ]
    stand_ins = [
        Problem("info", "stand_in", name, None, "a stand-in", f"msctl up --pull {name}")
        for name in ("web", "db")
    ]
    Ui().show(view(status(1, (*sick, *stand_ins)), now=NOW))
    lines = capsys.readouterr().out.splitlines()
    assert lines[-4:] == [
        "error: web-0 fails (and 49 more like this)",
        "       msctl logs web",
        "info: stand-ins, built in place of the official images, run for web, db",
        "      msctl up --pull",
    ]


def test_what_one_command_mends_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    """All services that somebody has stopped are one line; one that failed has its own."""
    ended = [
        Problem("error", "exited", name, f"{name}-{n}", f"{name}-{n} has {how}", f"msctl {hint}")
        for name, how, hint in (
            ("web", "been stopped", "up web"),
            ("api", "failed", "logs api"),
            ("db", "been stopped", "up db"),
        )
        for n in (1, 2)
    ]
    Ui().show(view(status(1, tuple(ended)), now=NOW))
    assert capsys.readouterr().out.splitlines()[-4:] == [
        "error: web-1 has been stopped (and 3 more like this)",
        "       msctl up",
        "error: api-1 has failed (and 1 more like this)",
        "       msctl logs api",
    ]


@pytest.mark.parametrize(
    ("started", "shown"),
    [
        ("2026-03-01T11:59:30Z", "30s"),
        ("2026-03-01T11:57:00.123456789Z", "2m"),
        ("2026-03-01T10:00:00+00:00", "2h"),
        ("2026-02-24T12:00:00.1Z", "4d"),
        ("2026-03-01T12:00:05Z", "0s"),
        ("nonsense", "-"),
        (None, "-"),
    ],
)
def test_the_age_of_a_replica_is_short(started: str | None, shown: str) -> None:
    """The largest unit only; a clock ahead of ours gives no negative age."""
    assert age(replica(1, started_at=started), NOW) == shown
