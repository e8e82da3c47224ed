"""What goes into a decision, and what comes out: frozen records. Pure.

Times are seconds of any clock that does not jump, the same one from round to round.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class ReplicaSample:
    """One replica as it is now."""

    ready: bool
    """Whether it is healthy, and so may get requests."""
    cpu: float | None = None
    """Percent of the policy's base; None: not known."""
    tells: bool | None = None
    """Whether its CPU tells of its load: not while it starts; None: as it is ready."""

    @property
    def counts(self) -> bool:
        return self.ready if self.tells is None else self.tells


@dataclass(frozen=True)
class Samples:
    """What was measured of a service in one round. None, NaN and what is negative is unknown."""

    current: int
    """Replicas that the service shall have now."""
    replicas: tuple[ReplicaSample, ...]
    """Those that there are."""
    rps: float | None = None
    """Requests a second, of all replicas together."""
    latency_p95: float | None = None
    """Milliseconds."""
    by_hand: int | None = None
    """The number of the scale that somebody asked for by hand, while it is in force."""


@dataclass(frozen=True)
class Reading:
    """A metric against its target."""

    metric: str
    """cpu, rps or latency_p95, as the stack file has it."""
    value: float | None
    """Percent on average, requests a second for each replica, or milliseconds; None: unknown."""
    target: float
    replicas: int | None
    """What it asks for, before any bound; None: it cannot tell."""
    load: float = 0.0
    """The replicas that it asks for, not rounded."""
    why_unknown: str = ""


@dataclass(frozen=True)
class Hand:
    """A scale by hand, which is left alone until the load is another than at its time."""

    number: int
    since: float
    """When it was first seen."""
    replicas: int | None = None
    """What the metrics asked for when it came into force; None: not measured yet."""
    load: float = 0.0
    """The same, not rounded."""
    over: bool = False
    """Whether the load has changed since."""


@dataclass(frozen=True)
class History:
    """What later decisions have to know of earlier ones."""

    recommendations: tuple[tuple[float, int], ...] = ()
    """When how many replicas were recommended: of the window of `stabilize_down`, and only what
    can still be the highest of it, so that they rise from the last to the first."""
    changes: tuple[tuple[float, int], ...] = ()
    """When how many replicas were added (or taken away, below 0)."""
    hand: Hand | None = None

    def changed(self, now: float, before: int, after: int) -> History:
        """After a decision has been carried out."""
        return replace(self, changes=(*self.changes, (now, after - before)))


@dataclass(frozen=True)
class Decision:
    """How many replicas a service shall have, and why."""

    replicas: int
    reason: str
    readings: tuple[Reading, ...]
    history: History
    """To be handed to the next decision."""
    next_down: float | None = None
    """When fewer replicas are allowed at the earliest, if the load stays as it is; None: nothing
    asks for fewer."""
    held: bool = False
    """Whether nothing was changed because something is not known."""
