"""What a stack's gateway had to do, as `msctl metrics` tells it: read from Prometheus's answers.
Pure.

The records are those of `metrics --json`, field by field. What is not known is None: a service
that nothing was asked of has a rate of 0, and no latencies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from msctl.monitoring.queries import (
    FIGURE,
    GUIDE,
    SCRAPED,
    WINDOW_SECONDS,
    Sample,
    Series,
    apart,
    history_expressions,
    own_name,
    read_traffic,
    together,
    traffic_expressions,
)

POINTS = 15
"""Points of a history. They are as far apart as the rates' window is long, so that every request
is in exactly one of them: it goes back 15 minutes."""


@dataclass(frozen=True)
class History:
    """How a service did; each value is that of the minute before its time, the last one now."""

    start: str
    """Time of the first value, RFC 3339."""
    step_seconds: int
    rps: tuple[float | None, ...]
    p95_ms: tuple[float | None, ...]
    error_rate: tuple[float | None, ...]


@dataclass(frozen=True)
class ServiceMetrics:
    """A service's requests in the last minute."""

    name: str
    rps: float | None
    """Requests a second."""
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    error_rate: float | None
    """Share of answers with a status of 500 or more, 0 to 1."""
    server_errors: float | None
    """Such answers in the last 5 minutes; a fraction, because it is extrapolated from scrapes."""
    servers: int | None
    """Servers whose health the gateway checks."""
    servers_up: int | None
    history: History


@dataclass(frozen=True)
class RouterMetrics:
    """A router's requests a second; a pin's are among its route's."""

    name: str
    rps: float | None


@dataclass(frozen=True)
class Metrics:
    """What Prometheus knows of a stack."""

    project: str
    prometheus: str
    """URL."""
    time: str
    """RFC 3339."""
    window_seconds: int
    """What rates and latencies are taken over, where nothing else is said."""
    scraped: bool
    """Whether Prometheus has numbers of a gateway at all."""
    throughput: float | None
    """Requests a second over all entry points."""
    latency_p95_ms: float | None
    """Of all services, over 5 minutes."""
    services: tuple[ServiceMetrics, ...]
    routers: tuple[RouterMetrics, ...]

    def record(self) -> dict[str, Any]:
        """What `--json` prints."""
        return asdict(self)


def now_query(services: Sequence[str], namespace: str | None = None) -> str:
    """What is asked of now: the services' traffic and the guide's queries."""
    return together({**traffic_expressions(services, namespace), **GUIDE, "scraped": SCRAPED})


def history_query(services: Sequence[str], namespace: str | None = None) -> str:
    """What is asked of the last 15 minutes."""
    return together(history_expressions(services, namespace))


def history_times(now: datetime) -> list[datetime]:
    """The times of a history, the last one now."""
    step = timedelta(seconds=WINDOW_SECONDS)
    return [now - step * back for back in reversed(range(POINTS))]


def read_metrics(
    now: Iterable[Sample],
    history: Iterable[Series],
    *,
    project: str,
    prometheus: str,
    time: datetime,
    services: Sequence[str],
    routers: Sequence[str],
    namespace: str | None = None,
) -> Metrics:
    """The answers to `now_query` and `history_query` at that time; only these routers are told."""
    now, history = tuple(now), tuple(history)
    traffic = read_traffic(now, services)
    failed = _by_own_name(apart(now, "server_errors"), "service", namespace)
    asked = _by_own_name(apart(now, "routers"), "router", namespace)
    latency = _single(now, "latency_p95")
    return Metrics(
        project=project,
        prometheus=prometheus,
        time=_stamp(time),
        window_seconds=WINDOW_SECONDS,
        scraped=bool(apart(now, "scraped")),
        throughput=_single(now, "throughput"),
        latency_p95_ms=None if latency is None else 1000 * latency,
        services=tuple(
            ServiceMetrics(
                name=name,
                **asdict(traffic[name]),
                server_errors=failed.get(name, None if traffic[name].rps is None else 0.0),
                history=_history(history, name, time),
            )
            for name in services
        ),
        routers=tuple(RouterMetrics(name, asked.get(name)) for name in routers),
    )


def _single(samples: Iterable[Sample], figure: str) -> float | None:
    return next((sample.value for sample in apart(samples, figure)), None)


def _by_own_name(
    samples: Iterable[Sample], label: str, namespace: str | None
) -> Mapping[str, float]:
    """The sums by the stack file's name, of what the gateway names by provider and slot."""
    found: dict[str, float] = {}
    for sample in samples:
        name = own_name(sample.labels.get(label, ""), namespace)
        if sample.value is not None:
            found[name] = found.get(name, 0.0) + sample.value
    return found


def _history(series: Iterable[Series], name: str, time: datetime) -> History:
    times = history_times(time)
    found = {s.labels.get(FIGURE): s.points for s in series if s.labels.get("name") == name}

    def values(figure: str) -> tuple[float | None, ...]:
        # Prometheus counts on from the start in whole milliseconds.
        points = {round(at - times[0].timestamp()): v for at, v in found.get(figure, {}).items()}
        return tuple(points.get(number * WINDOW_SECONDS) for number in range(POINTS))

    return History(
        start=_stamp(times[0]),
        step_seconds=WINDOW_SECONDS,
        rps=values("rps"),
        p95_ms=values("p95_ms"),
        error_rate=values("error_rate"),
    )


def _stamp(time: datetime) -> str:
    return time.isoformat(timespec="seconds")
