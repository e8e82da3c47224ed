"""Work that is given up when its time is over, whatever it waits for.

The timeouts of HTTP libraries are those of a single read: a peer that sends a byte every second
never meets them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T]) -> T:
    """What `work` returns or raises, if it comes in time. What has been given up goes on in a
    thread that ends with the process, and nobody hears of it.

    Raises:
        TimeoutError: it took longer.
    """
    outcome: list[tuple[Any, BaseException | None]] = []

    def run() -> None:
        try:
            outcome.append((work(), None))
        except BaseException as error:
            outcome.append((None, error))

    worker = threading.Thread(target=run, name="msctl-within", daemon=True)
    worker.start()
    worker.join(seconds)
    if not outcome:
        raise TimeoutError(f"no whole answer within {seconds:g} s")
    result, error = outcome[0]
    if error is not None:
        raise error
    found: T = result
    return found
