"""What the engine saw of a load test: which replica had which address, and the gateway's log."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta

from msctl.engines.base import Engine
from msctl.errors import MsctlError
from msctl.loadtest.accesslog import Entry, Sightings, parse
from msctl.model import GATEWAY
from msctl.state import StackState

READS, PAUSE = 30, 0.1
"""How often the log is read again, and the seconds between, until every answered request is in it:
the gateway writes a line when the answer has gone out, the engine a moment later."""
READS_FOR_THE_REST = 10
"""Reads that requests without an answer are worth: the gateway may never have heard of them."""
_CLOCKS = timedelta(seconds=30)
"""How far the engine's clock may be behind this machine's."""


class Witness:
    """Looks at the stack when a load begins, whenever a container starts or ends, and at the end.

    Nothing is asked while nothing changes, so that the load is not disturbed.
    """

    def __init__(self, engine: Engine, service: str, now: Callable[[], datetime]) -> None:
        self.sightings = Sightings()
        self._engine, self._service, self._now = engine, service, now
        self._changed, self._closing = threading.Event(), threading.Event()
        self._open = ExitStack()
        self._looker = threading.Thread(target=self._follow, name="msctl-witness", daemon=True)

    def __enter__(self) -> Witness:
        self._open.enter_context(self._engine.watch(self._changed.set))
        self._looker.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._closing.set()
        self._changed.set()
        self._looker.join(timeout=10)
        self._open.close()
        if kind is None:
            with suppress(MsctlError):  # what was seen so far stands
                self.look()

    def look(self) -> StackState:
        """The stack as it is now; its replicas' addresses are kept.

        Raises:
            EngineUnreachable: the engine does not answer.
        """
        state = self._engine.observe()
        self.sightings.add(
            self._now(),
            (
                (replica.name, replica.addresses.values())
                for replica in state.of(self._service)
                if replica.running
            ),
        )
        return state

    def _follow(self) -> None:
        while self._changed.wait() and not self._closing.is_set():
            self._changed.clear()
            with suppress(MsctlError):  # the next look may succeed
                self.look()


def read_log(
    engine: Engine,
    run: str,
    began: datetime,
    *,
    answered: frozenset[int],
    others: frozenset[int] = frozenset(),
    sleep: Callable[[float], None],
) -> dict[int, Entry]:
    """The gateway's entries of a run, by request; waited for a while where some are missing.

    Raises:
        MsctlError: the log cannot be read.
    """
    found: dict[int, Entry] = {}
    since = began - _CLOCKS
    for reads in range(1, READS + 1):
        for line in engine.logs((GATEWAY,), since=since):
            if (entry := parse(run, line.text, line.at)) is not None:
                found[entry.number] = entry
                since = max(since, line.at or since)
        complete = answered <= found.keys()
        if complete and (others <= found.keys() or reads >= READS_FOR_THE_REST):
            break
        sleep(PAUSE)
    return found
