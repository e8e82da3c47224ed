"""A stack's metrics as a person reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msctl.monitoring.metrics import Metrics, ServiceMetrics
from msctl.views import Block, Cell, Table

Spark = Callable[[Sequence[float | None]], str]
"""Draws a line of bars."""

SLOW_MS = 500.0
"""A 95th percentile above it is told in red; Prometheus raises an alert at it."""
MANY_ERRORS = 0.05
"""A share of errors above it likewise."""
_NOTHING, _EMPTY = Cell("-", "dim"), Cell()


def view(metrics: Metrics, spark: Spark) -> list[Block]:
    """Headline, a table of services, what failed, and a table of routers."""
    headings = ("SERVICE", "REQ/S", "P50", "P95", "P99", "5XX", "UP", "LAST 15 MIN")
    rows = [
        [
            Cell(service.name, "bold"),
            _rps(metrics, service),
            *_latencies(service),
            _errors(service.error_rate),
            _up(service),
            Cell(spark(service.history.rps), "cyan"),
        ]
        for service in metrics.services
    ]
    return [
        *_headline(metrics),
        [],
        Table(headings, rows, shrink=(0,), drop=("LAST 15 MIN", "P50", "P99", "UP")),
        *_failed(metrics),
        [],
        _routers(metrics),
    ]


def view_of_one(metrics: Metrics, spark: Spark) -> list[Block]:
    """One service, each figure in a row of its own, with what it was in the last 15 minutes."""
    [service] = metrics.services
    history = service.history
    p50, p95, p99 = _latencies(service)

    def row(
        name: str, now: Cell, values: Sequence[float | None] = (), most: Cell = _EMPTY
    ) -> Sequence[Cell]:
        return [Cell(name), now, Cell(spark(values), "cyan"), most]

    def most(values: Sequence[float | None], now: float | None) -> float | None:
        return max((value for value in (*values, now) if value is not None), default=None)

    highest = (
        Cell(rate(most(history.rps, service.rps))),
        _latency(most(history.p95_ms, service.p95_ms)),
        _errors(most(history.error_rate, service.error_rate)),
    )
    rows = [
        row("requests/s", _rps(metrics, service), history.rps, highest[0]),
        row("p50", p50),
        row("p95", p95, history.p95_ms, highest[1]),
        row("p99", p99),
        row("5xx", _errors(service.error_rate), history.error_rate, highest[2]),
        row("servers up", _up(service)),
    ]
    head: list[Cell] = [Cell(service.name, "bold"), Cell(f" of {metrics.project}")]
    return [
        head,
        _source(metrics),
        [],
        Table(("", "NOW", "LAST 15 MIN", "HIGHEST"), rows, drop=("LAST 15 MIN",)),
        *_failed(metrics),
        [],
        _routers(metrics),
    ]


def _headline(metrics: Metrics) -> Iterator[Block]:
    """The guide's throughput and latency of the whole stack."""
    p95 = latency(metrics.latency_p95_ms)
    yield [
        Cell(metrics.project, "bold"),
        Cell(f"  {rate(metrics.throughput)} requests/s  "),
        Cell(f"p95 {p95} over 5 min", "" if metrics.latency_p95_ms is not None else "dim"),
    ]
    yield _source(metrics)


def _source(metrics: Metrics) -> list[Cell]:
    return [Cell(f"of the last minute, from Prometheus at {metrics.prometheus}", "dim")]


def _failed(metrics: Metrics) -> Iterator[Block]:
    """The guide's count of server errors, where there were any."""
    counts = [
        f"{service.name} {round(service.server_errors)}"
        for service in metrics.services
        if service.server_errors is not None and round(service.server_errors)
    ]
    if counts:
        yield []
        yield [Cell("5xx in 5 min: ", "bold red"), Cell(", ".join(counts))]


def _routers(metrics: Metrics) -> Table:
    """The guide's distribution over the routers."""
    total = sum(router.rps or 0.0 for router in metrics.routers)
    rows = [
        [
            Cell(router.name),
            Cell(rate(router.rps), "" if router.rps else "dim"),
            Cell(share(router.rps / total)) if router.rps else _NOTHING,
        ]
        for router in metrics.routers
    ]
    return Table(("ROUTER", "REQ/S", "SHARE"), rows, shrink=(0,))


def _rps(metrics: Metrics, service: ServiceMetrics) -> Cell:
    """A service that nobody asks anything is told in words: that is no measurement of it.

    The gateway counts a service from its first request on, so that one that it has not counted
    yet is unknown to Prometheus."""
    if service.rps is None:
        return Cell("none seen", "dim") if metrics.scraped else Cell("unknown", "yellow")
    return Cell(rate(service.rps)) if service.rps else Cell("no traffic", "dim")


def _latencies(service: ServiceMetrics) -> list[Cell]:
    return [_latency(found) for found in (service.p50_ms, service.p95_ms, service.p99_ms)]


def _latency(ms: float | None) -> Cell:
    if ms is None:
        return _NOTHING
    return Cell(latency(ms), "bold red" if ms > SLOW_MS else "")


def _errors(found: float | None) -> Cell:
    if found is None:
        return _NOTHING
    style = "bold red" if found > MANY_ERRORS else "yellow" if found else "green"
    return Cell(share(found), style)


def _up(service: ServiceMetrics) -> Cell:
    if service.servers is None or service.servers_up is None:
        return _NOTHING
    well = service.servers_up == service.servers
    return Cell(f"{service.servers_up}/{service.servers}", "green" if well else "bold red")


def rate(rps: float | None) -> str:
    """`0.05`, `4.2`, `310`; `-` when it is not known."""
    if rps is None:
        return "-"
    if rps and rps < 0.005:
        return "<0.01"
    return f"{rps:.0f}" if rps >= 99.95 else f"{rps:.1f}" if rps >= 1 else f"{rps:.2f}"


def latency(ms: float | None) -> str:
    """`0.8ms`, `48ms`, `1.2s`; `-` when it is not known."""
    if ms is None:
        return "-"
    if ms >= 999.5:
        return f"{ms / 1000:.1f}s"
    return f"{ms:.0f}ms" if ms >= 9.95 else f"{ms:.1f}ms"


def share(part: float) -> str:
    """`0%`, `0.4%`, `12%`; never 0% of something."""
    percent = 100 * part
    if 0 < percent < 0.1:
        return "<0.1%"
    return f"{percent:.0f}%" if percent >= 9.95 or not percent else f"{percent:.1f}%"
