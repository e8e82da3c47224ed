"""What the command line works with, all of it handed in: nothing is global."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # their modules are heavy, and `msctl --help` needs none of them
    from msctl.config import LoadedStack
    from msctl.engines.base import Engine
    from msctl.loadtest.outcome import Outcome
    from msctl.loadtest.shape import Shape
    from msctl.loadtest.target import Target

    Connect = Callable[[str, LoadedStack, Mapping[str, str]], Engine]
    Send = Callable[[Target, Shape, str, Callable[[Outcome], None]], None]


def _connect(name: str, loaded: LoadedStack, environ: Mapping[str, str]) -> Engine:
    from msctl.engines import connect

    return connect(name, loaded, environ)


def _send(target: Target, shape: Shape, run: str, tell: Callable[[Outcome], None]) -> None:
    from msctl.sender import send

    send(target, shape, run, tell)


def _asks() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


@dataclass(frozen=True, kw_only=True)
class App:
    """The world around a command; tests hand in another one."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    cwd: Path = field(default_factory=Path.cwd)
    connect: Connect = _connect
    """Gives the engine of a stack, by the name that `--engine` takes."""
    send: Send = _send
    """Sends the requests of a load test; see `msctl.sender`."""
    lock_folder: Path | None = None
    """Where locks lie; None: the user's runtime folder."""
    clock: Callable[[], float] = time.monotonic
    """Seconds, for durations."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    """Time of day, with a zone."""
    sleep: Callable[[float], None] = time.sleep
    """Between two looks of `status --watch`, and two readings of a log."""
    asks: Callable[[], bool] = _asks
    """Whether there is a terminal with somebody to ask."""
