"""Work that is given up when its time is over, whatever it waits for.

The timeouts of HTTP libraries are those of a single read: a peer that sends a byte every second
never meets them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Job(Generic[T]):
    """Work in a thread of its own, which ends with the process."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._outcome: list[tuple[Any, BaseException | None]] = []
        self._thread = threading.Thread(target=self._run, name="msctl-within", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._outcome.append((self._work(), None))
        except BaseException as error:
            self._outcome.append((None, error))

    def ends(self, seconds: float | None = None) -> bool:
        """Whether it ends in this time; None: however long that takes."""
        self._thread.join(seconds)
        return bool(self._outcome)

    def result(self) -> T:
        """What the work, which has ended, returned or raised."""
        result, error = self._outcome[0]
        if error is not None:
            raise error
        found: T = result
        return found


def within(seconds: float, work: Callable[[], T]) -> T:
    """What `work` returns or raises, if it comes in time. What has been given up goes on, and
    nobody hears of it.

    Raises:
        TimeoutError: it took longer.
    """
    job = Job(work)
    if not job.ends(seconds):
        raise TimeoutError(f"no whole answer within {seconds:g} s")
    return job.result()


@contextmanager
def told_when_late(seconds: float, tell: Callable[[], None]) -> Iterator[None]:
    """What is within may take so long; then `tell` is called, once, while it goes on."""
    timer = threading.Timer(seconds, tell)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
