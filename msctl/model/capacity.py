"""How many replicas a service has, and how much each of them may use."""

from datetime import timedelta
from typing import Annotated

from msctl.fields import (
    Cpus,
    Duration,
    Percentage,
    Rate,
    Size,
    show_duration,
    show_size,
    wrong,
)
from msctl.model.forms import COUNT_SCHEMA, count_of
from msctl.records import Record

DEFAULT_MAX_REPLICAS = 10
SMALLEST_MEMORY = 6 * 1024 * 1024


class Replicas(Record):
    """How many replicas a service starts with, and between which bounds it may be scaled."""

    initial: Annotated[int, count_of("a number of replicas (1-1000)"), COUNT_SCHEMA] = 1
    """Replicas of the first `up`."""
    min: Annotated[int, count_of("a number of replicas (1-1000)"), COUNT_SCHEMA] = 1
    """Fewest that `scale` accepts."""
    max: Annotated[int, count_of("a number of replicas (1-1000)"), COUNT_SCHEMA] = (
        DEFAULT_MAX_REPLICAS
    )
    """Most that `scale` accepts."""

    def agree(self) -> None:
        if self.min > self.max:
            wrong(f"min {self.min} is more than max {self.max}")
        if self.initial < self.min:
            wrong(f"initial {self.initial} is less than min {self.min}")
        if self.initial > self.max:
            wrong(
                f"initial {self.initial} is more than max {self.max}; "
                f"write {{initial: {self.initial}, max: {self.initial}}}"
            )


class Reservation(Record):
    """What the engine keeps free for each replica."""

    cpus: Cpus | None = None
    memory: Size | None = None


class Resources(Record):
    """Limits of each replica."""

    cpus: Cpus | None = None
    """CPUs at the most; 0.5 is half of one."""
    memory: Size | None = None
    """Memory at the most; more ends the container."""
    reserve: Reservation = Reservation()
    """What is reserved for each replica."""

    def agree(self) -> None:
        for key in ("cpus", "memory"):
            limit, reserved = getattr(self, key), getattr(self.reserve, key)
            if limit is not None and reserved is not None and reserved > limit:
                wrong(f"reserve.{key} is more than the limit of {key}")
        if self.memory is not None and self.memory < SMALLEST_MEMORY:
            wrong(f"memory {show_size(self.memory)} is less than the 6M that an engine accepts")


class Autoscale(Record):
    """How many replicas the load asks for, by the rules of the Horizontal Pod Autoscaler."""

    min: Annotated[int, count_of("a number of replicas (1-1000)"), COUNT_SCHEMA] | None = None
    """Fewest replicas; default: `replicas.min`."""
    max: Annotated[int, count_of("a number of replicas (1-1000)"), COUNT_SCHEMA] | None = None
    """Most replicas; default: `replicas.max`."""
    cpu: Percentage | None = None
    """CPU of a replica, as a share of its reservation (`resources.reserve.cpus`), else of its
    limit (`resources.cpus`)."""
    rps: Rate | None = None
    """Requests a second for each replica."""
    latency_p95: Duration | None = None
    """Time within which 95 of 100 requests shall be answered."""
    interval: Duration = timedelta(seconds=15)
    """Time between two decisions."""
    stabilize_down: Duration = timedelta(seconds=300)
    """Time for which fewer replicas must have been enough before any goes."""

    def agree(self) -> None:
        if self.min is not None and self.max is not None and self.min > self.max:
            wrong(f"min {self.min} is more than max {self.max}")
        if self.cpu is None and self.rps is None and self.latency_p95 is None:
            wrong("no target is given; add at least one of cpu, rps and latency_p95")
        if self.latency_p95 is not None and self.latency_p95 < timedelta(milliseconds=1):
            wrong("latency_p95 is shorter than 1ms")
        if not timedelta(seconds=1) <= self.interval <= timedelta(hours=1):
            wrong(f"interval {show_duration(self.interval)} is not between 1s and 1h")
        if self.stabilize_down > timedelta(hours=1):
            wrong(f"stabilize_down {show_duration(self.stabilize_down)} is longer than 1h")
