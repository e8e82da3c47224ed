"""A stack's status as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from msctl.assessment import ReplicaStatus, ServiceStatus, Status
from msctl.assessment.problem import Problem, folded
from msctl.state import parse_time
from msctl.views import Block, Cell, Flow, Paragraph, Table

_STATES = {"running": "green", "exited": "red", "dead": "red", "restarting": "red"}
_HEALTH = {"healthy": "green", "unhealthy": "bold red", "starting": "yellow", "none": "dim"}
_GATEWAY = {"UP": "green", "DOWN": "bold red"}
_SEVERITIES = {"error": "bold red", "warning": "yellow", "info": "cyan"}
_NOTHING = Cell("-", "dim")
_ALL: Block = [Cell("msctl status shows all", "dim")]
_DROP = ("IMAGE", "LAST CHECK", "UP", "ADDRESS", "RESTARTS", "MEM", "CPU", "P95", "REQ/S", "ERRORS")
"""What a narrow terminal does without."""


def view(
    status: Status,
    *,
    now: datetime,
    alone: bool = False,
    load: bool = False,
    room: int | None = None,
    stale: str | None = None,
) -> list[Block]:
    """Headline, a table of services and replicas, and the problems, the worst first.

    `alone`: one service was asked for; then each replica's address, restarts and last check too.
    `load`: what replicas and services have to do. `room`: lines of the terminal; where they are
    too few, replicas that are well are left out, then what is only worth a word, and problems after
    the first ones. `stale`: why nothing newer is known.
    """
    head: list[Block] = [[Cell(stale, "bold red")]] if stale else []
    head += _headline(status, _condition(status, alone=alone))
    problems = list(_problems(status.problems))
    table = _Lines(status, now, alone=alone, load=load)
    rows = table.rows(calm=False)
    if room is not None:
        most = _most(room, head, problems)
        if len(rows) > most:
            rows = table.rows(calm=True)
        if len(rows) > most:
            problems = _without_infos(status.problems, problems)
            most = _most(room, head, problems)
        if len(rows) > most:
            rows = [*rows[: most - 1], table.filled([Cell(f"and {len(rows) - most + 1} more")])]
        left = room - len(head) - len(rows) - 4
        if len(problems) > left:
            problems = [*problems[: max(1, left - 1)], _ALL]
    blocks: list[Block] = [*head]
    if status.services:  # the gateway alone is no service
        spare = ("UP",) if load else ()
        blocks += [[], Table(table.headings, rows, table.shrink, spare, _DROP)]
    if problems:
        blocks += [[], *problems]
    return blocks


def _most(room: int, head: Sequence[Block], problems: Sequence[Block]) -> int:
    """Lines that services have."""
    return max(4, room - len(head) - min(len(problems), room // 3) - 4)


def _without_infos(problems: Sequence[Problem], shown: list[Block]) -> list[Block]:
    """What is wrong alone, where services would not be shown for what is only worth a word."""
    wrong = [problem for problem in problems if problem.severity != "info"]
    return shown if len(wrong) == len(problems) else [*_problems(wrong), _ALL]


def _condition(status: Status, *, alone: bool) -> Cell:
    if status.healthy:
        return Cell("healthy", "bold green")
    gateway = status.gateway is not None and status.gateway.healthy
    there = alone or gateway or any(service.replicas for service in status.services)
    return Cell("degraded" if there else "not up", "bold red")


def _headline(status: Status, word: Cell) -> Iterator[Block]:
    line = [[Cell(status.project, "bold"), Cell(" is "), word]]
    gateway = status.gateway
    if gateway is not None:
        well = Cell("up", "green") if gateway.healthy else Cell("not well", "bold red")
        line.append([Cell("gateway "), well])
        if gateway.url:
            line.append([Cell(gateway.url, "cyan")])
    yield Flow(line)
    around = []
    if gateway is not None and gateway.dashboard:
        around.append(Cell(f"dashboard {gateway.dashboard}", "dim"))
    if gateway is not None and gateway.certificate_expires:
        around.append(Cell(f"certificate until {gateway.certificate_expires[:10]}", "dim"))
    if status.prometheus is not None:
        reached = "" if status.prometheus.reachable else " (does not answer)"
        around.append(Cell(f"prometheus {status.prometheus.url}{reached}", "dim"))
    if around:
        yield Flow([[cell] for cell in around])


class _Lines:
    """The table's lines: a service with one replica is one line, others have one a replica."""

    def __init__(self, status: Status, now: datetime, *, alone: bool, load: bool) -> None:
        self.status, self.now, self.load = status, now, load
        checked = any(r.last_check for one in status.services for r in one.replicas)
        more = ["ADDRESS", "RESTARTS", *(["LAST CHECK"] if checked else [])] if alone else []
        figures = ["CPU", "MEM", "REQ/S", "P95", "ERRORS"] if load else []
        image = [] if load or alone else ["IMAGE"]
        self.alone, self.checked = alone, checked
        first = "REPLICA" if alone else "SERVICE"
        self.headings = [first, "ENGINE", "HEALTH", "GATEWAY", "UP", *figures, *more, *image]
        self.shrink = (len(self.headings) - 1, 0) if image or (more and checked) else (0,)

    def rows(self, *, calm: bool) -> list[Sequence[Cell]]:
        """`calm`: without replicas that are well."""
        rows: list[Sequence[Cell]] = []
        for service in self.status.services:
            if len(service.replicas) == service.desired == 1 and not self.alone:
                rows.append(self._one(service, service.replicas[0]))
                continue
            if self.load or not self.alone:
                rows.append(self._several(service))
            shown = [r for r in service.replicas if not calm or not _is_well(service, r)]
            rows += [self._replica(service, replica) for replica in shown]
            if shown and len(shown) < len(service.replicas):
                well = len(service.replicas) - len(shown)
                rows.append(self.filled([Cell(f"  {well} more are well", "dim")]))
        return rows

    def filled(self, cells: Sequence[Cell]) -> Sequence[Cell]:
        """A line with nothing in the columns that are left."""
        return [*cells, *[Cell()] * (len(self.headings) - len(cells))]

    def _one(self, service: ServiceStatus, replica: ReplicaStatus) -> Sequence[Cell]:
        cells = [Cell(service.name, "bold"), *_states(service, replica, self.now)]
        if self.load:
            return [*cells, *_usage(replica), *_traffic(service)]
        return [*cells, _image(service)]

    def _several(self, service: ServiceStatus) -> Sequence[Cell]:
        cells = list(_counts(service, bare=self.load))
        if self.load:
            cells += [Cell(), Cell(), *_traffic(service)]
        elif not self.alone:
            cells.append(_image(service))
        return self.filled(cells)

    def _replica(self, service: ServiceStatus, replica: ReplicaStatus) -> Sequence[Cell]:
        name = replica.name.removeprefix(f"{self.status.project}-")
        plain = self.alone and not self.load
        first = Cell(name if plain else f"  {name}", "bold" if plain else "", tail=True)
        cells = [first, *_states(service, replica, self.now)]
        if self.load:
            cells += [*_usage(replica), Cell(), _latency(replica.p95_ms), Cell()]
        if self.alone:
            restarts = "-" if replica.restarts is None else str(replica.restarts)
            cells += [Cell(replica.address or "-"), Cell(restarts)]
            if self.checked:
                cells.append(Cell(replica.last_check or "-", "dim"))
        elif not self.load:
            other = replica.image != service.image
            cells.append(Cell(replica.image, "yellow", tail=True) if other else Cell())
        return self.filled(cells)


def _is_well(service: ServiceStatus, replica: ReplicaStatus) -> bool:
    runs = replica.state == "running" and replica.health in ("healthy", "none")
    return runs and (service.kind != "routed" or replica.gateway_status == "UP")


def _usage(replica: ReplicaStatus) -> list[Cell]:
    """CPU of its limit; memory of its limit, or what it takes where it has none."""
    taken, limit = replica.memory_bytes, replica.memory_limit_bytes
    if taken is None:
        memory = _NOTHING
    elif limit:
        memory = _share(100 * taken / limit)
    else:
        memory = Cell(f"{taken / 2**20:.0f}M")
    return [_NOTHING if replica.cpu_percent is None else _share(replica.cpu_percent), memory]


def _share(percent: float) -> Cell:
    style = "bold red" if percent >= 90 else "yellow" if percent >= 70 else ""
    return Cell(f"{percent:.0f}%", style)


def _traffic(service: ServiceStatus) -> list[Cell]:
    """Requests a second, the 95th percentile and the share of errors."""
    rps = _NOTHING if service.rps is None else Cell(f"{service.rps:.1f}")
    p95 = _latency(service.p95_ms)
    if service.error_rate is None:
        return [rps, p95, _NOTHING]
    style = "bold red" if service.error_rate >= 0.05 else "yellow" if service.error_rate else ""
    return [rps, p95, Cell(f"{service.error_rate:.1%}", style)]


def _latency(milliseconds: float | None) -> Cell:
    if milliseconds is None:
        return _NOTHING
    return Cell(f"{milliseconds:.0f}ms", "yellow" if milliseconds > 500 else "")


def _counts(service: ServiceStatus, *, bare: bool) -> Sequence[Cell]:
    """Of a service as a whole: name, running, healthy, routed. `bare`: without the words, which the
    headings tell; names need the room beside figures."""
    wanted = service.desired
    if not service.replicas and not wanted:
        return [Cell(service.name, "dim"), Cell("left out", "dim"), *[_NOTHING] * 3]

    def count(number: int, word: str) -> Cell:
        text = f"{number}/{wanted}" if bare else f"{number}/{wanted} {word}"
        return Cell(text, "green" if number >= wanted else "bold red")

    routed = _unrouted(service) if service.routed is None else count(service.routed, "UP")
    running, healthy = count(service.running, "run"), count(service.healthy, "healthy")
    return [Cell(service.name, "bold"), running, healthy, routed, Cell()]


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


def _problems(problems: Sequence[Problem]) -> Iterator[Block]:
    for problem in folded(problems):
        severity = Cell(f"{problem.severity}: ", _SEVERITIES[problem.severity])
        yield Paragraph([severity], Cell(problem.message))
        if problem.hint:
            yield [Cell(" " * len(severity.text)), Cell(problem.hint, "cyan")]


def age(replica: ReplicaStatus, now: datetime) -> str:
    """How long a running replica has been up: `3m`, `2h`, `5d`."""
    if replica.started_at is None or replica.state != "running":
        return "-"
    if (started := parse_time(replica.started_at)) is None:
        return "-"
    passed = max(timedelta(0), now - started)
    for seconds, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if passed.total_seconds() >= seconds:
            return f"{int(passed.total_seconds() // seconds)}{unit}"
    return f"{int(passed.total_seconds())}s"


def _styled(word: str, styles: dict[str, str], otherwise: str = "") -> Cell:
    return Cell(word, styles.get(word, otherwise))


def _image(service: ServiceStatus) -> Cell:
    return Cell(service.image, "dim", tail=True)
