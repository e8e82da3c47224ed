"""How a process that runs until it is told to end is told: by Ctrl-C, or by SIGTERM."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Terminated(KeyboardInterrupt):
    """SIGTERM: whoever runs msctl wants it to end; what is in hand is finished as for Ctrl-C."""


@contextmanager
def told_apart() -> Iterator[None]:
    """SIGTERM raises `Terminated`, and Ctrl-C `KeyboardInterrupt` as ever."""
    before = signal.getsignal(signal.SIGTERM)
    if before is signal.SIG_IGN:
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        try:
            if callable(before):
                before(number, frame)  # so that a second one ends the process at once
        except KeyboardInterrupt:
            pass  # raised below, as what it is
        raise Terminated

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGTERM) is end:
            signal.signal(signal.SIGTERM, before)
