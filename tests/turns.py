"""Whose turn it is, where several processes run tests: those that load the machine run alone."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

_RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID")
"""The same in all processes of a run; None where there is one process only."""


@contextmanager
def _held(name: str, how: int) -> Iterator[None]:
    if _RUN is None:
        yield
        return
    path = Path(tempfile.gettempdir()) / f"msctl-tests-{_RUN}.{name}"
    with path.open("a") as file:
        fcntl.flock(file, how)
        yield  # closing it lets go


@contextmanager
def beside() -> Iterator[None]:
    """Together with others that do so."""
    with ExitStack() as stack:
        with _held("door", fcntl.LOCK_EX):  # somebody who waits to be alone holds it
            stack.enter_context(_held("room", fcntl.LOCK_SH))
        yield


@contextmanager
def alone() -> Iterator[None]:
    """When all others have left, and nobody comes in meanwhile."""
    with _held("door", fcntl.LOCK_EX), _held("room", fcntl.LOCK_EX):
        yield
