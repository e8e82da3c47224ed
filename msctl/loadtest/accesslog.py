"""The gateway's access log: which replica each request of a load test went to.

The format is Traefik's JSON access log (3.7). Every request carries an id of its own, which the
log repeats; a line without `ServiceAddr` is of a request that the gateway answered itself.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

HEADER = "X-Request-Id"
_FIELD = f"request_{HEADER}"


def request_id(run: str, number: int) -> str:
    """The id of one request of a run."""
    return f"{run}-{number}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One request, as the gateway saw it."""

    number: int
    address: str | None
    """IP address and port of the replica that it went to; None: to none."""
    status: int
    at: datetime | None
    seconds: float
    """From the request's head to the answer's end."""
    retries: int
    service: str
    """The gateway's name of the service: `web@docker`, or `web-a@file` under a pin."""


def parse(run: str, line: str, at: datetime | None = None) -> Entry | None:
    """The entry of a line; None when it is not of this run. `at`: when the line was written."""
    if run not in line:
        return None
    try:
        found = json.loads(line)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    head, _, number = str(found.get(_FIELD, "")).rpartition("-")
    if head != run or not (number.isascii() and number.isdigit()):
        return None
    return Entry(
        number=int(number),
        address=str(found.get("ServiceAddr") or "") or None,
        status=_whole(found, "DownstreamStatus"),
        at=at,
        seconds=_whole(found, "Duration") / 1e9,
        retries=_whole(found, "RetryAttempts"),
        service=str(found.get("ServiceName") or ""),
    )


def _whole(found: Mapping[str, Any], key: str) -> int:
    value = found.get(key)
    return int(value) if isinstance(value, int | float) else 0


@dataclass
class Sightings:
    """Which replica had which address, and since when.

    Replicas come and go, and an address may be given to another one: of several, the one that was
    last seen there before a request counts.
    """

    _seen: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)
    _names: dict[str, None] = field(default_factory=dict)

    def add(self, at: datetime, replicas: Iterable[tuple[str, Iterable[str]]]) -> None:
        """Names and IP addresses of the replicas that run at a time."""
        for name, addresses in replicas:
            self._names.setdefault(name)
            for address in filter(None, addresses):
                seen = self._seen.setdefault(address, [])
                if not seen or seen[-1][1] != name:
                    seen.append((at, name))

    @property
    def names(self) -> tuple[str, ...]:
        """Every replica that was seen, in that order."""
        return tuple(self._names)

    def name(self, address: str, at: datetime | None) -> str:
        """The replica at `IP:PORT`; the address itself when none was seen there."""
        seen = self._seen.get(address.rpartition(":")[0].strip("[]"))
        if not seen:
            return address
        if at is None:
            return seen[-1][1]
        before = bisect_right(seen, at, key=lambda sighting: sighting[0])
        return seen[max(0, before - 1)][1]
