"""Which replica each request went to: what was sent, joined with what the gateway logged."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from msctl.loadtest.accesslog import Entry, Sightings
from msctl.loadtest.outcome import Outcome
from msctl.monitoring.queries import own_name

NOTHING_LOGGED = (
    "none of the requests is in the gateway's access log; is it switched off, or without "
    "X-Request-Id, by gateway.args?"
)


@dataclass(frozen=True)
class Traffic:
    """Where the requests of a load test went, as far as the gateway's log tells."""

    replicas: Mapping[int, str] = field(default_factory=dict)
    """Name of the replica by the request's number; an address that no replica had is a name."""
    known: tuple[str, ...] = ()
    """Every replica that was there, also one that got nothing."""
    missing: int = 0
    """Requests that were answered, but are not in the log."""
    kept: int = 0
    """Requests that the gateway answered itself: they reached no replica."""
    strays: Mapping[str, int] = field(default_factory=dict)
    """Requests that were led to another service, by its name at the gateway."""
    retried: int = 0
    """Requests that the gateway had to send more than once."""
    error: str | None = None
    """Why the log could not be read."""

    @property
    def exact(self) -> bool:
        """Whether every answered request was found."""
        return self.error is None and not self.missing

    def counts(self) -> dict[str, int]:
        """Requests by replica, in the order of `known`; what was not seen before comes last."""
        counted = Counter(self.replicas.values())
        return {name: counted[name] for name in dict.fromkeys([*self.known, *sorted(counted)])}

    def moved(self, outcomes: Iterable[Outcome]) -> int | None:
        """Clients that more than one replica answered; None when that is not known."""
        if not self.exact:
            return None
        seen: defaultdict[int, set[str]] = defaultdict(set)
        for outcome in outcomes:
            if outcome.client is not None and (name := self.replicas.get(outcome.number)):
                seen[outcome.client].add(name)
        return sum(len(names) > 1 for names in seen.values())


def join(
    service: str, outcomes: Sequence[Outcome], entries: Mapping[int, Entry], sightings: Sightings
) -> Traffic:
    """Match outcomes and log entries by the request's number.

    A request without an answer counts for the replica that it went to, where the log has it. A log
    with none of the requests is no log of them: then nothing is known.
    """
    if not entries and any(outcome.status is not None for outcome in outcomes):
        return Traffic(known=sightings.names, error=NOTHING_LOGGED)
    replicas: dict[int, str] = {}
    strays: Counter[str] = Counter()
    missing = kept = retried = 0
    for outcome in outcomes:
        entry = entries.get(outcome.number)
        if entry is None:
            missing += outcome.status is not None
            continue
        retried += entry.retries > 0
        if entry.address is None:
            kept += 1
        elif own_name(entry.service) == service:
            replicas[outcome.number] = sightings.name(entry.address, entry.at)
        else:
            strays[entry.service] += 1
    return Traffic(replicas, sightings.names, missing, kept, strays, retried)
