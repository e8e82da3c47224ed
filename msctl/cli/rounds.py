"""When what is done again and again is due."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass
class Rounds:
    """When which services are due, by a clock that does not jump."""

    intervals: Mapping[str, float]
    clock: Callable[[], float]
    next: dict[str, float] = field(default_factory=dict)

    def due(self) -> list[str]:
        """The services whose time has come; their next one is counted from now."""
        now = self._now()
        found = [name for name in self.intervals if self.next.get(name, now) <= now]
        self.next |= {name: now + self.intervals[name] for name in found}
        return found

    def patience(self) -> float:
        """Seconds until the next service is due."""
        now = self._now()
        return max(0.0, min(self.next.values()) - now)

    def _now(self) -> float:
        """The time; whoever would be due later than an interval from now, because the clock was set
        back, is due then."""
        now = self.clock()
        self.next = {name: min(at, now + self.intervals[name]) for name, at in self.next.items()}
        return now
