"""Decisions as a person reads them: a table, or a line."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msctl.autoscale.records import Reading
from msctl.autoscale.words import NAMES, against, seconds, share
from msctl.cli.autoscaling import Verdict
from msctl.views import Block, Cell, Table
from msctl.words import plural

_METRICS = {"cpu": "CPU", "rps": "REQ/S", "latency_p95": "P95"}
_FEWEST = 3
"""Rows that are shown on a terminal however small."""


@dataclass(frozen=True)
class Room:
    """A terminal's."""

    width: int
    height: int


def view(
    project: str,
    verdicts: Iterable[Verdict],
    messages: Sequence[str],
    now: float,
    doing: str,
    room: Room,
) -> list[Block]:
    """The latest decision about each service, what msctl is doing, and what was told last. Where
    there is no room for all, the services are shown that change or might."""
    told = [part for message in messages for part in textwrap.wrap(message, room.width)]
    # Without title, headings, the line that counts the others, and what keeps them apart.
    space = max(_FEWEST, room.height - 4 - (1 + len(told) if told else 0))
    found = list(verdicts)
    shown = set(sorted(range(len(found)), key=lambda n: _calm(found[n]))[:space])
    blocks: list[Block] = [
        [
            Cell(project, "bold"),
            Cell(" is scaled by its load"),
            Cell(f"  {doing}; Ctrl-C ends", "dim"),
        ],
        [],
        table([verdict for number, verdict in enumerate(found) if number in shown], now),
    ]
    if hidden := len(found) - len(shown):
        blocks.append([Cell(f"… and {plural(hidden, 'service')} more", "dim")])
    if told:
        blocks += [[], *([Cell(line, "yellow")] for line in told)]
    return blocks


def _calm(verdict: Verdict) -> int:
    """The lower, the more there is to see."""
    decision = verdict.decision
    over = any(r.value is not None and r.value > r.target for r in decision.readings)
    waits = decision.next_down is not None
    return 0 if verdict.changes else 1 if decision.held else 2 if waits else 3 if over else 4


def table(verdicts: Iterable[Verdict], now: float) -> Table:
    """`now` is of the decisions' clock. A column that none of the services has is left out."""
    found = list(verdicts)
    aimed = {reading.metric for verdict in found for reading in verdict.decision.readings}
    metrics = [name for name in _METRICS if name in aimed]
    waits = any(verdict.decision.next_down is not None for verdict in found)
    fewer = ["FEWER IN"] if waits else []
    headings = ["SERVICE", "REPLICAS", *(_METRICS[m] for m in metrics), *fewer, "REASON"]
    rows = [_row(verdict, metrics, now if waits else None) for verdict in found]
    return Table(headings, rows, shrink=(len(headings) - 1, 0), drop=fewer)


def _row(verdict: Verdict, metrics: Sequence[str], now: float | None) -> Sequence[Cell]:
    readings = {reading.metric: reading for reading in verdict.decision.readings}
    until = verdict.decision.next_down
    style = "yellow" if verdict.decision.held else ""
    return [
        Cell(verdict.service, "bold"),
        _replicas(verdict),
        *(_metric(readings.get(name)) for name in metrics),
        *(() if now is None else (_down(until, now),)),
        Cell(_reason(verdict), style),
    ]


def _down(until: float | None, now: float) -> Cell:
    return Cell("-", "dim") if until is None else Cell(seconds(max(0.0, until - now)))


def _reason(verdict: Verdict) -> str:
    """The reason, without the figures that stand in the row: of those the metric's name; and
    without what follows from it for somebody who reads a whole line."""
    text = verdict.decision.reason.partition(", which stays")[0]
    for reading in verdict.decision.readings:
        if text.startswith(figures := against(reading)):
            rest = text.removeprefix(figures).partition(", down in ")[0]
            return rest.removeprefix("; ") or NAMES[reading.metric]
    return text


def _replicas(verdict: Verdict) -> Cell:
    if not verdict.changes:
        return Cell(str(verdict.current))
    style = "green" if verdict.acted else "yellow"
    return Cell(f"{verdict.current} → {verdict.wanted}", style)


def _metric(reading: Reading | None) -> Cell:
    """`83/70%`, yellow over the target."""
    if reading is None:
        return Cell("-", "dim")
    over = reading.value is not None and reading.value > reading.target
    return Cell(share(reading), "yellow" if over else "")


def line(verdict: Verdict, *, dry_run: bool) -> str:
    """`12:00:15 web 2 → 4: cpu 141%, target 70%`."""
    clock = verdict.time[11:19]
    end = "" if verdict.acted else " (dry run)" if dry_run else " (not done)"
    change = f"{verdict.current} → {verdict.wanted}"
    return f"{clock} {verdict.service} {change}: {verdict.decision.reason}{end}"
