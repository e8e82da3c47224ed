"""Decisions as a person reads them: a table, or a line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msctl.autoscale.records import Reading
from msctl.autoscale.words import seconds, value
from msctl.cli.autoscaling import Verdict
from msctl.ui import Block, Cell, Table

_METRICS = {"cpu": "CPU", "rps": "REQ/S EACH", "latency_p95": "P95"}


def view(
    project: str, verdicts: Iterable[Verdict], messages: Sequence[str], now: float, doing: str
) -> list[Block]:
    """The latest decision about each service, what msctl is doing, and what was told last."""
    blocks: list[Block] = [
        [
            Cell(project, "bold"),
            Cell(" is scaled by its load"),
            Cell(f"  {doing}; Ctrl-C ends", "dim"),
        ],
        [],
        table(verdicts, now),
    ]
    if messages:
        blocks += [[], *([Cell(message, "yellow")] for message in messages)]
    return blocks


def table(verdicts: Iterable[Verdict], now: float) -> Table:
    """`now` is of the decisions' clock."""
    headings = ["SERVICE", "REPLICAS", *_METRICS.values(), "FEWER IN", "REASON"]
    return Table(headings, [_row(v, now) for v in verdicts], shrink=(len(headings) - 1, 0))


def _row(verdict: Verdict, now: float) -> Sequence[Cell]:
    readings = {reading.metric: reading for reading in verdict.decision.readings}
    until = verdict.decision.next_down
    down = Cell("-", "dim") if until is None else Cell(seconds(max(0.0, until - now)))
    style = "yellow" if verdict.decision.held else ""
    return [
        Cell(verdict.service, "bold"),
        _replicas(verdict),
        *(_metric(readings.get(name)) for name in _METRICS),
        down,
        Cell(verdict.decision.reason, style),
    ]


def _replicas(verdict: Verdict) -> Cell:
    if not verdict.changes:
        return Cell(str(verdict.current))
    style = "green" if verdict.acted else "yellow"
    return Cell(f"{verdict.current} → {verdict.wanted}", style)


def _metric(reading: Reading | None) -> Cell:
    """`83% of 70%`."""
    if reading is None:
        return Cell("-", "dim")
    over = reading.value is not None and reading.value > reading.target
    text = f"{value(reading.metric, reading.value)} of {value(reading.metric, reading.target)}"
    return Cell(text, "yellow" if over else "")


def line(verdict: Verdict, *, dry_run: bool) -> str:
    """`12:00:15 web 2 → 4: cpu 141%, target 70%`."""
    clock = verdict.time[11:19]
    end = "" if verdict.acted else " (dry run)" if dry_run else " (not done)"
    change = f"{verdict.current} → {verdict.wanted}"
    return f"{clock} {verdict.service} {change}: {verdict.decision.reason}{end}"
