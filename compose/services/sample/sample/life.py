"""The life of this replica: its uptime, its faults, and how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from dataclasses import dataclass, field

from .config import Settings
from .misbehaviour import Misbehaviour


@dataclass(slots=True)
class Life:
    """Made when the service starts; `watch` must be called in the running event loop."""

    settings: Settings
    faults: Misbehaviour
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    started: float = field(default_factory=time.monotonic)
    _crash: asyncio.TimerHandle | None = None

    @property
    def uptime(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    @property
    def healthy(self) -> bool:
        """Whether this replica itself may get traffic; what it depends on does not count."""
        return not self.stopping.is_set() and self.faults.healthy(self.uptime)

    def watch(self) -> None:
        """Handles SIGTERM and SIGINT from now on, and crashes when a fault says so."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._terminate)
        loop.add_signal_handler(signal.SIGINT, self.stopping.set)
        self.misbehave(self.faults)

    def misbehave(self, faults: Misbehaviour) -> None:
        """Takes over new faults; a crash that is due comes after an answer had time to leave."""
        self.faults = faults
        if self._crash is not None:
            self._crash.cancel()
            self._crash = None
        if faults.crash_at is not None:
            delay = max(faults.crash_at - self.uptime, 0.1)
            self._crash = asyncio.get_running_loop().call_later(
                delay, self._die, 1, "crashing, as told"
            )

    def say(self, message: str) -> None:
        """Writes one line to the log."""
        print(f"{self.settings.name}: {message}", flush=True)

    def _terminate(self) -> None:
        if self.faults.die_on_sigterm:
            self._die(128 + signal.SIGTERM, "SIGTERM: dying at once, as told")
        if self.faults.ignore_sigterm:
            self.say("SIGTERM: ignored, as told")
            return
        self.say("SIGTERM: stopping")
        self.stopping.set()

    def _die(self, status: int, message: str) -> None:
        self.say(message)
        os._exit(status)
