"""The figures of a load test as a person reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from msctl.loadtest.result import ReplicaShare, Result
from msctl.views import Block, Cell, Table
from msctl.words import plural

_BAR = 24
"""Columns of the largest share's bar."""


def view(result: Result) -> list[Block]:
    """Headline, statuses, latency, and what each replica got."""
    blocks: list[Block] = [_headline(result)]
    if result.requests:
        blocks += [[Cell("statuses  ", "dim"), *_statuses(result)]]
        blocks += [[], _latency(result)]
    if result.replicas:
        blocks += [[], _replicas(result.replicas), *_fairness(result)]
    return blocks


def _headline(result: Result) -> list[Cell]:
    count = plural(result.requests, "request")
    rate = "" if result.rate is None else f", {result.rate:.4g}/s"
    line = [Cell(result.service, "bold"), Cell(f": {count} in {result.seconds:.1f} s{rate}  ")]
    if not result.requests:
        return [*line, Cell("no request ended", "bold red")]
    if not result.failed:
        return [*line, Cell("all succeeded", "bold green")]
    return [*line, Cell(f"{result.failed} failed", "bold red")]


def _statuses(result: Result) -> Iterator[Cell]:
    for number, (word, count) in enumerate(result.statuses.items()):
        well = word.isdigit() and int(word) < 400
        yield Cell(("  " if number else "") + word, "green" if well else "bold red")
        yield Cell(f": {count}")


def _latency(result: Result) -> Table:
    figures = asdict(result.latency_ms)
    headings = ["LATENCY", *(name.upper() for name in figures)]
    cells = [Cell("-" if ms is None else _milliseconds(ms)) for ms in figures.values()]
    return Table(headings, [[Cell("ms", "dim"), *cells]], drop=("AVG", "P90", "MIN"))


def _milliseconds(ms: float) -> str:
    return f"{ms:.1f}" if ms < 1000 else f"{ms:.0f}"


def _replicas(shares: Sequence[ReplicaShare]) -> Table:
    most = max((share.requests for share in shares), default=0)
    rows = [
        [
            Cell(share.name, "bold"),
            Cell(f"{share.requests:8}"),
            Cell(f"{share.share:6.1%}" if share.share is not None else "unknown" if most else "-"),
            Cell("█" * round(_BAR * share.requests / most) if most else "", "cyan"),
        ]
        for share in shares
    ]
    return Table(("REPLICA", "REQUESTS", "SHARE", ""), rows, shrink=(3, 0))


def _fairness(result: Result) -> Iterator[Block]:
    if result.evenness is not None:
        text = "the largest share ÷ a fair one; 1 is even"
        yield [Cell("evenness  ", "dim"), Cell(f"{result.evenness:.2f}"), Cell(f"  {text}", "dim")]
    if (sticky := result.sticky) is None:
        return
    if sticky.moved is None:
        words = Cell("it is not known whether each stayed on its replica", "yellow")
    elif sticky.moved:
        words = Cell(f"{sticky.moved} of them moved to another replica", "bold red")
    else:
        words = Cell("each stayed on one replica", "green")
    yield [Cell("sticky    ", "dim"), Cell(f"{sticky.clients} clients, "), words]
