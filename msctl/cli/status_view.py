"""A stack's status as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from msctl.problems import Problem
from msctl.status import ReplicaStatus, ServiceStatus, Status
from msctl.ui import Block, Cell, Table

_STATES = {"running": "green", "exited": "red", "dead": "red", "restarting": "red"}
_HEALTH = {"healthy": "green", "unhealthy": "bold red", "starting": "yellow", "none": "dim"}
_GATEWAY = {"UP": "green", "DOWN": "bold red"}
_SEVERITIES = {"error": "bold red", "warning": "yellow", "info": "cyan"}
_NOTHING = Cell("-", "dim")


def view(status: Status, *, now: datetime, alone: bool = False) -> list[Block]:
    """Headline, a table of services and replicas, and the problems, the worst first.

    `alone`: one service was asked for; then each replica's address, restarts and last check too.
    """
    blocks: list[Block] = [*_headline(status)]
    if status.services:  # the gateway alone is no service
        blocks += [[], _alone(status, now) if alone else _all(status, now)]
    if status.problems:
        blocks += [[], *_problems(status.problems)]
    return blocks


def _headline(status: Status) -> Iterator[Block]:
    word = Cell("healthy", "bold green") if status.healthy else Cell("degraded", "bold red")
    line = [Cell(status.project, "bold"), Cell(" is "), word]
    gateway = status.gateway
    if gateway is not None:
        line.append(Cell("  gateway "))
        line.append(Cell("up", "green") if gateway.healthy else Cell("not well", "bold red"))
        if gateway.url:
            line.append(Cell(f"  {gateway.url}", "cyan"))
    yield line
    if gateway is not None and gateway.dashboard:
        yield [Cell(f"dashboard {gateway.dashboard}", "dim")]


def _all(status: Status, now: datetime) -> Table:
    rows: list[Sequence[Cell]] = []
    for service in status.services:
        if len(service.replicas) == service.desired == 1:
            rows.append(_one(service, service.replicas[0], now))
            continue
        rows.append(_several(service))
        rows += [_replica(status.project, service, r, now) for r in service.replicas]
    headings = ("SERVICE", "ENGINE", "HEALTH", "GATEWAY", "UP", "IMAGE")
    return Table(headings, rows, shrink=(5, 0))


def _several(service: ServiceStatus) -> Sequence[Cell]:
    wanted = service.desired
    if not service.replicas and not wanted:
        return [Cell(service.name, "dim"), Cell("left out", "dim"), *_dashes(3), _image(service)]

    def count(number: int, word: str) -> Cell:
        return Cell(f"{number}/{wanted} {word}", "green" if number >= wanted else "bold red")

    routed = _unrouted(service) if service.routed is None else count(service.routed, "UP")
    running, healthy = count(service.running, "run"), count(service.healthy, "healthy")
    return [Cell(service.name, "bold"), running, healthy, routed, Cell(), _image(service)]


def _one(service: ServiceStatus, replica: ReplicaStatus, now: datetime) -> Sequence[Cell]:
    return [Cell(service.name, "bold"), *_states(service, replica, now), _image(service)]


def _replica(
    project: str, service: ServiceStatus, replica: ReplicaStatus, now: datetime
) -> Sequence[Cell]:
    name = replica.name.removeprefix(f"{project}-")
    image = Cell() if replica.image == service.image else Cell(replica.image, "yellow", tail=True)
    return [Cell(f"  {name}"), *_states(service, replica, now), image]


def _states(service: ServiceStatus, replica: ReplicaStatus, now: datetime) -> list[Cell]:
    done = service.kind == "job" and replica.state == "exited" and service.healthy > 0
    state = Cell("done", "green") if done else _styled(replica.state, _STATES, "yellow")
    health = _styled(replica.health, _HEALTH) if replica.state == "running" else _NOTHING
    if replica.health == "none":
        health = _NOTHING
    return [state, health, _gateway(service, replica), Cell(age(replica, now), "dim")]


def _gateway(service: ServiceStatus, replica: ReplicaStatus) -> Cell:
    if replica.gateway_status:
        return _styled(replica.gateway_status, _GATEWAY)
    if service.kind != "routed" or replica.routed is None:
        return _unrouted(service)
    return Cell("absent", "bold red")


def _unrouted(service: ServiceStatus) -> Cell:
    """Of what the gateway does not lead to, and of what it could not be asked about."""
    return Cell("unknown", "yellow") if service.kind == "routed" else _NOTHING


def _alone(status: Status, now: datetime) -> Table:
    headings = ["REPLICA", "ENGINE", "HEALTH", "GATEWAY", "UP", "ADDRESS", "RESTARTS"]
    rows = [
        [
            Cell(replica.name.removeprefix(f"{status.project}-"), "bold"),
            *_states(service, replica, now),
            Cell(replica.address or "-"),
            Cell("-" if replica.restarts is None else str(replica.restarts)),
            *([Cell(replica.last_check, "dim")] if replica.last_check else []),
        ]
        for service in status.services
        for replica in service.replicas
    ]
    if any(len(row) > len(headings) for row in rows):
        headings.append("LAST CHECK")
    rows = [[*row, *[_NOTHING] * (len(headings) - len(row))] for row in rows]
    return Table(headings, rows, shrink=(len(headings) - 1, 0))


def _problems(problems: Sequence[Problem]) -> Iterator[Block]:
    """What concerns many replicas of a service alike, or many images, is told once."""
    for _, found in groupby(problems, key=_alike):
        first, *more = found
        text, hint = first.message, first.hint
        if more and first.kind == "stand_in":
            names = ", ".join(str(problem.service) for problem in (first, *more))
            text = f"stand-ins, built in place of the official images, run for {names}"
            hint = hint and hint.removesuffix(f" {first.service}")
        elif more:
            text += f" (and {len(more)} more like this)"
        severity = Cell(f"{first.severity}: ", _SEVERITIES[first.severity])
        yield [severity, Cell(text)]
        if hint:
            yield [Cell(" " * len(severity.text)), Cell(hint, "cyan")]


def _alike(problem: Problem) -> tuple[str | None, ...]:
    service = None if problem.kind == "stand_in" else problem.service
    return problem.severity, problem.kind, service


def age(replica: ReplicaStatus, now: datetime) -> str:
    """How long a running replica has been up: `3m`, `2h`, `5d`."""
    if replica.started_at is None or replica.state != "running":
        return "-"
    try:
        started = datetime.fromisoformat(_to_microseconds(replica.started_at))
    except ValueError:
        return "-"
    passed = max(timedelta(0), now - started)
    for seconds, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if passed.total_seconds() >= seconds:
            return f"{int(passed.total_seconds() // seconds)}{unit}"
    return f"{int(passed.total_seconds())}s"


def _to_microseconds(stamp: str) -> str:
    """The engine writes nanoseconds, Python reads microseconds."""
    head, point, rest = stamp.partition(".")
    digits = len(rest) - len(rest.lstrip("0123456789"))
    return f"{head}{point}{rest[:digits][:6]}{rest[digits:]}".replace("Z", "+00:00")


def _styled(word: str, styles: dict[str, str], otherwise: str = "") -> Cell:
    return Cell(word, styles.get(word, otherwise))


def _image(service: ServiceStatus) -> Cell:
    return Cell(service.image, "dim", tail=True)


def _dashes(count: int) -> list[Cell]:
    return [_NOTHING] * count
