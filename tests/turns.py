"""Whose turn it is, where several processes run tests: those that load the machine run alone."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID")
"""The same in all processes of a run; None where there is one process only."""


def _file(run: str) -> Path:
    return Path(tempfile.gettempdir()) / f"msctl-tests-{run}.lock"


def forget(run: str) -> None:
    """Remove what a run's processes, which have ended, leave behind."""
    _file(run).unlink(missing_ok=True)


@contextmanager
def _held(how: int) -> Iterator[None]:
    if _RUN is None:
        yield
        return
    with _file(_RUN).open("a") as file:
        fcntl.flock(file, how)
        yield  # closing it lets go


@contextmanager
def beside() -> Iterator[None]:
    """Together with others that do so."""
    with _held(fcntl.LOCK_SH):
        yield


@contextmanager
def alone() -> Iterator[None]:
    """When nobody else is at work; those who are may begin something else before."""
    with _held(fcntl.LOCK_EX):
        yield
