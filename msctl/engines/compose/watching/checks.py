"""The health check of a container, run by msctl too while its engine waits to run it.

The first check of an engine before Docker 25 comes a whole `interval` after the start, that of a
newer one after a second. What needs the container would wait for that, although it serves long
since. So msctl runs the same command in the same container, as the engine would.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Set
from typing import TYPE_CHECKING, Any

from msctl.engines.compose.api.client import CONFLICT, Client, EngineFault
from msctl.errors import EngineUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST = (0.0, 0.1, 0.2, 0.4, 0.8)
"""Seconds before each of the first checks."""
EVERY = 1.0
"""Seconds between two later ones, unless the engine runs them as often by itself."""
REST = 2
"""How many times as long as a check took there is none: some start a whole runtime, and what they
check is starting, too."""
AT_ONCE = 4
"""Checks that run at a time."""
DEFAULT_TIMEOUT = DEFAULT_INTERVAL = 30.0
"""Seconds; the engine's own."""
NOT_RUN = ("msctl: ", "OCI runtime exec failed")
"""How the output of a check begins that could not be run."""
_NANOSECONDS = 1e9


class Checks:
    """Each in a thread of its own, until it passes."""

    def __init__(self, client: Client, changed: Callable[[], None]) -> None:
        self._client, self._changed = client, changed
        self._begun: set[str] = set()
        self._passed: set[str] = set()
        self.refused: dict[str, str] = {}
        """Why a container cannot run its check, by its id."""
        self._closing = threading.Event()
        self._turns = threading.BoundedSemaphore(AT_ONCE)

    def passed(self, identity: str, filled: Set[str]) -> bool:
        """Whether a container has passed its check, which who asks first has begun. Of its volumes,
        those that are filled were there before."""
        if identity not in self._begun:
            self._begun.add(identity)
            threading.Thread(
                target=self._until_passed, args=(identity, filled), name="msctl-check", daemon=True
            ).start()
        return identity in self._passed

    def close(self) -> None:
        self._closing.set()

    def _until_passed(self, identity: str, filled: Set[str]) -> None:
        try:
            found = self._client.call(lambda api: api.inspect_container(identity))
            check = found["Config"].get("Healthcheck") or {}
            words = _command(check, found["Config"])
            if words is None or _sets_up(found, filled):
                return
            took = 0.0
            for pause in _pauses(check):
                if self._closing.wait(max(pause, REST * took)):
                    return
                began = time.monotonic()
                if self._passes(identity, words, _seconds(check, "Timeout", DEFAULT_TIMEOUT)):
                    self._passed.add(identity)
                    self._changed()
                    return
                took = time.monotonic() - began
        except (EngineFault, EngineUnreachable):
            return  # the engine's own checks tell

    def _passes(self, identity: str, words: list[str], seconds: float) -> bool:
        with self._turns:
            try:
                status, output = self._client.run(identity, words, seconds)
            except EngineFault as fault:
                if fault.status == CONFLICT:  # it does not run at the moment
                    return False
                status, output = 1, fault.message
                if not output.startswith(NOT_RUN):
                    raise
        if status and output.startswith(NOT_RUN):
            self.refused[identity] = " ".join(output.split())
            self._changed()
        return not status


def _command(check: Mapping[str, Any], config: Mapping[str, Any]) -> list[str] | None:
    """What the engine runs for a check; None: nothing."""
    match check.get("Test"):
        case ["CMD", *words] if words:
            return words
        case ["CMD-SHELL", line]:
            return [*(config.get("Shell") or ("/bin/sh", "-c")), line]
    return None


def _sets_up(found: Mapping[str, Any], filled: Set[str]) -> bool:
    """Whether a container may have to set up its data first. A database that does answers its check
    for a moment, serving only itself, and then starts once more: early checks would meet that."""
    return any(
        mount.get("RW") and mount["Type"] in ("volume", "bind") and mount.get("Name") not in filled
        for mount in found.get("Mounts") or ()
    )


def _seconds(check: Mapping[str, Any], key: str, default: float) -> float:
    return (check.get(key) or 0) / _NANOSECONDS or default


def _pauses(check: Mapping[str, Any]) -> Iterator[float]:
    yield from FIRST
    interval = _seconds(check, "Interval", DEFAULT_INTERVAL)
    while _seconds(check, "StartInterval", interval) > EVERY:
        yield EVERY
