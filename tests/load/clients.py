"""What all kinds of clients have in common."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

import aiohttp

TIMEOUT = aiohttp.ClientTimeout(total=10)
"""Seconds after which an answer counts as lost."""


@dataclass
class Result:
    """What became of the requests of one kind of client."""

    sent: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    left: set[str] = field(default_factory=set)
    """Replicas that a client was led away from, though it had a session there."""

    def __str__(self) -> str:
        return f"{self.lost.total()} of {self.sent} lost {dict(self.lost)}"


class Clients(Protocol):
    """Clients of one kind."""

    result: Result

    async def run(self, stop: threading.Event) -> None:
        """Ask until told to stop, then wait for the last answers."""

    def __str__(self) -> str: ...
