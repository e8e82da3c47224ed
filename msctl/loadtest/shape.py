"""The shape of a load: when each request starts, and when the load is over.

Open loop: requests start by the clock, whatever became of those before, as users do. Closed loop:
so many clients send one request after the other. Both count a request's latency from the time it
was meant to start, so that a stall of the stack is not hidden by the requests that it held up
(Gil Tene's "coordinated omission").
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from msctl.errors import UsageProblem
from msctl.words import plural

REQUESTS, DELAY = 20, 0.5
"""Of a load test without options: few requests, one after the other, for a person to watch."""
SECONDS = 10.0
"""Of a rate or a concurrency without an end."""
CLIENTS = 10
"""Cookie jars of a sticky test."""
MOST_SHOWN = 50
"""Requests of a test whose every outcome is shown."""


@dataclass(frozen=True)
class Shape:
    """When requests start. Exactly one of `rate` and `workers` is set; an end is always there."""

    rate: float | None = None
    """Open loop: requests a second."""
    workers: int | None = None
    """Closed loop: requests under way at once."""
    delay: float = 0.0
    """Closed loop: seconds between a worker's answer and its next request."""
    requests: int | None = None
    """The load is over after so many."""
    seconds: float | None = None
    """The load is over after so much time; requests under way are waited for."""
    clients: int | None = None
    """Cookie jars that take turns; None: nobody keeps cookies."""

    @property
    def planned(self) -> int | None:
        """Requests in all; None where only time ends it."""
        if self.requests is not None:
            return self.requests
        if self.rate is None or self.seconds is None:
            return None
        # A product such as 0.1 * 30 may lie a little above the whole number that is meant.
        return max(1, ceil(self.rate * self.seconds - 1e-6))

    @property
    def is_short(self) -> bool:
        """Whether every outcome can be shown."""
        return self.planned is not None and self.planned <= MOST_SHOWN

    def due(self, number: int) -> float:
        """Open loop: when a request (from 0) is meant to start, in seconds after the first."""
        assert self.rate is not None
        return number / self.rate

    def client(self, number: int) -> int | None:
        """Whose cookies a request carries."""
        return None if self.clients is None else number % self.clients

    def __str__(self) -> str:
        count = self.planned
        what = "requests" if count is None else plural(count, "request")
        if self.rate is not None:
            how = f" at {self.rate:g}/s"
        elif self.workers == 1:
            how = "" if count == 1 else " one after the other"
        else:
            how = f", {self.workers} at once"
        pause = f", {self.delay * 1000:g} ms apart" if self.delay else ""
        comma = "," if self.workers not in (None, 1) or pause else ""
        end = f"{comma} for {self.seconds:g} s" if self.seconds is not None else ""
        jars = f", by {self.clients} clients with cookies" if self.clients is not None else ""
        return f"{what}{how}{pause}{end}{jars}"


def shape(
    *,
    requests: int | None = None,
    delay: float | None = None,
    concurrency: int | None = None,
    rate: float | None = None,
    seconds: float | None = None,
    sticky: bool = False,
    clients: int | None = None,
) -> Shape:
    """The shape that options ask for (times in seconds).

    Raises:
        UsageProblem: two of them contradict each other.
    """
    for first, second, both, hint in (
        ("--rate", "--concurrency", (rate, concurrency), "leave one of them out"),
        ("--rate", "--delay", (rate, delay), f"--rate alone sets the pace; {_pace(delay)}"),
        ("--requests", "--duration", (requests, seconds), "say one of them: each is an end"),
    ):
        if None not in both:
            raise UsageProblem(f"{first} and {second} contradict each other", hint=hint)
    if clients is not None and not sticky:
        raise UsageProblem(
            "--clients is the number of cookie jars of --sticky", hint="add --sticky"
        )
    plain = requests is None and delay is None and concurrency is None and seconds is None
    if rate is None and plain:
        requests, delay = REQUESTS, DELAY
    elif requests is None and seconds is None:
        one_by_one = rate is None and concurrency is None
        requests, seconds = (REQUESTS, None) if one_by_one else (None, SECONDS)
    found = Shape(
        rate=rate,
        workers=None if rate is not None else concurrency or 1,
        delay=delay or 0.0,
        requests=requests,
        seconds=seconds,
    )
    if not sticky:
        return found
    most = found.planned
    jars = clients or min(CLIENTS, most or CLIENTS)
    if most is not None and jars > most:
        raise UsageProblem(
            f"{jars} clients have nothing to do with {most} requests",
            hint=f"--requests {2 * jars} gives each of them two",
        )
    return Shape(**{**vars(found), "clients": jars})


def _pace(delay: float | None) -> str:
    return (
        f"a pause of {delay * 1000:g} ms is --rate {1 / delay:g}" if delay else "leave out --delay"
    )
