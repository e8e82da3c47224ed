"""What became of one request."""

from __future__ import annotations

from dataclasses import dataclass

TIMEOUT = "timeout"
"""The error of a request whose answer did not come in time."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One request that has ended; times are seconds after the start of the load."""

    number: int
    """From 0, in the order in which they were to start."""
    due: float
    """When it was meant to start."""
    sent: float
    """When it started."""
    ended: float
    status: int | None
    """None when there was no answer."""
    error: str | None = None
    """Why there was none, in a word or two: `timeout`, `connection refused`."""
    client: int | None = None
    """Whose cookies it carried."""

    @property
    def failed(self) -> bool:
        """Without an answer, or with a status of 400 or more; a redirect is an answer."""
        return self.status is None or self.status >= 400

    @property
    def latency(self) -> float | None:
        """Seconds from the intended start to the whole answer, or to where it was given up.

        None where the connection failed: how fast a request fails is no latency.
        """
        if self.status is None and self.error != TIMEOUT:
            return None
        return max(0.0, self.ended - self.due)

    @property
    def word(self) -> str:
        """The status, or the error."""
        return str(self.status) if self.status is not None else self.error or "error"
