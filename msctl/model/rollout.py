"""How replicas are replaced."""

from datetime import timedelta
from typing import Annotated, Literal

from msctl.fields import (
    Duration,
    Surge,
    shown,
    wrong,
)
from msctl.records import Check, Record, Schema


class Rollout(Record):
    """How replicas are replaced."""

    surge: Surge = 1
    """Replicas more than wanted while replacing: a number, or percent of the replicas."""
    health_timeout: Duration = timedelta(seconds=60)
    """Time in which a new replica has to become healthy."""
    monitor: Duration = timedelta(seconds=2)
    """Time that a new replica has to stay healthy before it gets requests; Compose's word, from
    `deploy.update_config`."""
    drain: Duration = timedelta(seconds=10)
    """Time in which the requests inside a replica may end, before it is stopped."""
    order: Annotated[
        Literal["start-first", "stop-first"],
        Check(lambda value: _order(value)),
        Schema({"enum": ["start-first", "stop-first"]}),
    ] = "start-first"
    """Whether the new replica starts before the old one stops."""


def _order(value: object) -> object:
    if value not in ("start-first", "stop-first"):
        wrong(f"{shown(value)} is not an order (start-first or stop-first)")
    return value
