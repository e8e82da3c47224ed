"""Terminals to draw on: one in memory, and a real one."""

from __future__ import annotations

import io
import os
import pty
import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from msctl.ui import Ui, terminal

ESCAPE = "\x1b"


class Terminal(io.StringIO):
    """A terminal of a given width that keeps what is written to it."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def on_terminal(ui: Ui, width: int = 80) -> Terminal:
    """Let both of the ui's streams be one terminal."""
    file = Terminal()
    ui.out, ui.err = (_terminal(ui, file, width, stderr=stderr) for stderr in (False, True))
    return file


def _terminal(ui: Ui, file: Terminal, width: int, *, stderr: bool) -> terminal.Terminal:
    made = terminal.Terminal(stderr=stderr, color=ui.color)
    made.console.file = file
    made.console._force_terminal = True
    made.console.width, made.console.height = width, 24
    return made


@contextmanager
def real_terminal(
    monkeypatch: pytest.MonkeyPatch, stream: str = "stderr"
) -> Iterator[Callable[[], str]]:
    """stderr or stdout is a pseudo terminal; what came out of it can be read at the end."""
    main, side = pty.openpty()
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)

    def written() -> str:
        text = b""
        while select.select([main], [], [], 0.1)[0]:
            text += os.read(main, 4096)
        return text.decode()

    with os.fdopen(side, "w", encoding="utf-8") as file:
        monkeypatch.setattr(f"sys.{stream}", file)
        yield written
    os.close(main)
