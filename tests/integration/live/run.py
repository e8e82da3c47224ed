"""Runs commands as a user does, and waits for what they bring about."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

MSCTL = str(Path(sys.executable).with_name("msctl"))
COMPOSE = str(Path(sys.executable).with_name("docker-compose"))
DEADLINE = 800.0
"""Seconds after which a command is taken to hang; a test has less, but for one that has images
built, which takes its time on a busy machine."""


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    status: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"exit status {self.status}\n{self.out}{self.err}"


class Running:
    """A command at work; what it prints on stderr is read line by line."""

    def __init__(self, command: list[str], folder: Path, env: Mapping[str, str]) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as stderr:
            self.lines.extend(iter(stderr.readline, ""))

    def says(self, words: str, seconds: float = 60.0) -> None:
        """Wait until it has printed a line with these words."""

        def said() -> bool:
            if any(words in line for line in self.lines):
                return True
            assert self.process.poll() is None, f"it ended without {words!r}: {self.lines}"
            return False

        until(said, seconds, f"{words!r} is printed", every=0.01)

    def kill(self) -> int:
        """`kill -9`; its exit status."""
        return self.send(signal.SIGKILL)

    def send(self, signum: int, seconds: float = 30.0) -> int:
        """Send a signal; the exit status that it brings about."""
        self.process.send_signal(signum)
        return self.ended(seconds)

    def ended(self, seconds: float = DEADLINE) -> int:
        """Wait for its end; its exit status."""
        status = self.process.wait(timeout=seconds)
        self._reader.join(timeout=10)
        return status


def run(
    command: list[str], folder: Path, env: Mapping[str, str], timeout: float = DEADLINE
) -> Result:
    """Run a command to its end, without a terminal."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def environment(**changes: str) -> dict[str, str]:
    """A user's: this process's, without what would lead msctl or Docker Compose elsewhere, or
    keep Python from remembering what it compiled."""
    strange = ("MSCTL_", "COMPOSE_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
    return {**kept, **changes}


def until(condition: Callable[[], T], seconds: float, what: str, *, every: float = 0.1) -> T:
    """Wait until a condition holds; what it returned then. Fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(every)
    return found
