"""The result of a load test: the record that `--json` prints, and what there is to say to it.

What is not known is None, never a made-up 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from msctl.loadtest.outcome import Outcome
from msctl.loadtest.shape import Shape
from msctl.loadtest.statistics import Histogram, Latency
from msctl.loadtest.traffic import Traffic
from msctl.words import plural

_NEARLY = 0.99
"""Share of the wanted rate from which on it counts as reached."""
_LATE = 0.05
"""Seconds that requests may start late before it is worth a word."""


@dataclass(frozen=True)
class Sticky:
    """Whether clients with cookies stayed where they were."""

    clients: int
    moved: int | None


@dataclass(frozen=True)
class ReplicaShare:
    """What one replica got."""

    name: str
    requests: int
    share: float | None
    """0 to 1, of the requests that reached a replica."""


@dataclass(frozen=True)
class Result:
    """A whole load test."""

    service: str
    requests: int
    """Requests that ended: with an answer or without one."""
    succeeded: int
    failed: int
    statuses: dict[str, int]
    """By status; requests without an answer by their error."""
    rate: float | None
    """Requests a second that were started."""
    seconds: float
    latency_ms: Latency
    evenness: float | None
    """Largest share ÷ fair share: 1 is even, the number of replicas is all on one."""
    sticky: Sticky | None
    replicas: tuple[ReplicaShare, ...] | None
    """None when the gateway's log could not be read."""

    def record(self) -> dict[str, Any]:
        """What `--json` prints."""
        return asdict(self)


def result(service: str, shape: Shape, outcomes: Sequence[Outcome], traffic: Traffic) -> Result:
    """The figures of a load test; the outcomes may be in any order."""
    words = Counter(outcome.word for outcome in outcomes)
    failed = sum(outcome.failed for outcome in outcomes)
    shares = _shares(traffic)
    seconds = max((outcome.ended for outcome in outcomes), default=0.0)
    return Result(
        service=service,
        requests=len(outcomes),
        succeeded=len(outcomes) - failed,
        failed=failed,
        statuses=dict(sorted(words.items())),
        rate=_rate(shape, outcomes, seconds),
        seconds=round(seconds, 3),
        latency_ms=Histogram(latencies(outcomes)).latency(),
        evenness=_evenness(traffic, shares),
        sticky=None if shape.clients is None else Sticky(shape.clients, traffic.moved(outcomes)),
        replicas=shares,
    )


def latencies(outcomes: Sequence[Outcome]) -> list[float]:
    """Seconds, of the requests that have one."""
    return [found for outcome in outcomes if (found := outcome.latency) is not None]


def _shares(traffic: Traffic) -> tuple[ReplicaShare, ...] | None:
    if traffic.error is not None:
        return None
    counts = traffic.counts()
    total = sum(counts.values())
    known = bool(total) and traffic.exact
    return tuple(
        ReplicaShare(name, count, round(count / total, 4) if known else None)
        for name, count in counts.items()
    )


def _evenness(traffic: Traffic, shares: Sequence[ReplicaShare] | None) -> float | None:
    total = sum(share.requests for share in shares or ())
    if not shares or not total or not traffic.exact:
        return None
    return round(max(share.requests for share in shares) * len(shares) / total, 3)


def _rate(shape: Shape, outcomes: Sequence[Outcome], seconds: float) -> float | None:
    """Open loop: by the time between the first and the last start. Closed: by the whole time."""
    if shape.rate is None:
        return round(len(outcomes) / seconds, 2) if seconds else None
    starts = [outcome.sent for outcome in outcomes]
    between = max(starts, default=0.0) - min(starts, default=0.0)
    return round((len(starts) - 1) / between, 2) if between else None


def remarks(
    shape: Shape, outcomes: Sequence[Outcome], found: Result, traffic: Traffic
) -> Iterator[str]:
    """What a reader of the figures should know."""
    yield from _pace(shape, outcomes, found)
    if traffic.error is not None:
        yield f"requests per replica are not known: {traffic.error}"
    elif traffic.missing:
        yield (
            f"{traffic.missing} of {found.requests} requests are not in the gateway's access log: "
            "the counts are of those that are, shares and evenness are not known"
        )
    if traffic.kept:
        yield f"the gateway answered {_requests(traffic.kept)} itself, without a replica"
    for name, count in traffic.strays.items():
        yield f"{_requests(count)} went to {name}: another route leads there; see msctl routes"
    if traffic.retried:
        yield f"the gateway sent {_requests(traffic.retried)} again: a replica was not reached"


def _pace(shape: Shape, outcomes: Sequence[Outcome], found: Result) -> Iterator[str]:
    if shape.rate is None or found.rate is None:
        return
    late = Histogram(max(0.0, outcome.sent - outcome.due) for outcome in outcomes)
    lateness = late.percentile(99) or 0.0
    if lateness <= _LATE * 1000:
        return
    if found.rate < shape.rate * _NEARLY:
        yield (
            f"this machine did not reach {shape.rate:g} requests/s: it started {found.rate:g}/s; "
            "latencies count from when requests were meant to start"
        )
    else:
        yield (
            f"this machine started some requests late (p99 {lateness:.0f} ms); "
            "their latencies have that in them"
        )


def _requests(count: int) -> str:
    return plural(count, "request")
