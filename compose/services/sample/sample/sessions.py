"""A counter for each session, in this replica's memory alone."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field

LIMIT = 100_000  # sessions; the one not used for longest is forgotten first


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit: `lost` when the client came with a session that is not known here."""

    key: str
    count: int
    lost: bool


@dataclass(slots=True)
class Sessions:
    """Visits so far, by session."""

    _counts: OrderedDict[str, int] = field(default_factory=OrderedDict)

    def visit(self, key: str | None) -> Visit:
        """Counts a visit; a session that is not known gets a new key, never one of the client's."""
        if key is None or key not in self._counts:
            fresh = secrets.token_urlsafe(12)
            self._counts[fresh] = 1
            if len(self._counts) > LIMIT:
                self._counts.popitem(last=False)
            return Visit(fresh, 1, lost=key is not None)
        self._counts[key] += 1
        self._counts.move_to_end(key)
        return Visit(key, self._counts[key], lost=False)
