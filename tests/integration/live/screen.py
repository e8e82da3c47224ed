"""A terminal with a command in it, of which a test sees what a user would."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import pyte


class Screen:
    """What a terminal of a size shows while a command runs in it."""

    def __init__(
        self, command: list[str], folder: Path, env: Mapping[str, str], columns: int, lines: int
    ) -> None:
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self.written = b""
        self._master, self._terminal = pty.openpty()
        self._tell_size(columns, lines)
        self.settings: list[Any] = termios.tcgetattr(self._terminal)
        """How the terminal was before."""
        # Whoever runs the tests may have a width of his own in the environment.
        sizeless = {k: v for k, v in env.items() if k not in ("COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env={**sizeless, "TERM": "xterm-256color"},
            stdin=self._terminal,
            stdout=self._terminal,
            stderr=self._terminal,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Screen:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._terminal)
        self._reader.join(timeout=10)
        os.close(self._master)

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 65536)
            except OSError:  # nobody has the terminal any more
                return
            with self._lock:
                self.written += data
                self._stream.feed(data)

    def _tell_size(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def type(self, keys: str) -> None:
        """Type these keys."""
        os.write(self._master, keys.encode())

    @property
    def lines(self) -> list[str]:
        """What is to be seen now, without the empty lines at the end."""
        with self._lock:
            return "\n".join(line.rstrip() for line in self._screen.display).rstrip().split("\n")

    @property
    def cursor_shown(self) -> bool:
        return not self._screen.cursor.hidden

    def resize(self, columns: int, lines: int) -> None:
        with self._lock:
            self._screen.resize(lines, columns)
            self._screen.reset()
        self._tell_size(columns, lines)

    def now(self) -> list[Any]:
        """How the terminal is now."""
        return termios.tcgetattr(self._terminal)

    def interrupt(self) -> int:
        """Ctrl-C, as a key; how the command ends."""
        os.write(self._master, b"\x03")
        return self.process.wait(timeout=30)

    def end(self) -> int:
        """Ask it to end."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)
