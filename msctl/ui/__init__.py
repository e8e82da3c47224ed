"""The terminal: messages to stderr, data to stdout. The only package that imports rich.

What comes from containers, images and labels may hold terminal escapes: every text that is shown
goes through `neutral`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from msctl import data
from msctl.errors import Interrupted, MsctlError, StackFileError, StepFailed
from msctl.ui.layout import laid_out
from msctl.ui.line import ELLIPSIS, Line, cells
from msctl.ui.plain import Plain
from msctl.views import Block, Progress, Table, neutral

_PALETTE = ("cyan", "yellow", "green", "magenta", "blue", "bright_cyan", "bright_yellow",
            "bright_green", "bright_magenta", "bright_blue")  # fmt: skip
_SPINNER, _ASCII_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "|/-\\"
_BARS, _ASCII_BARS = "▁▂▃▄▅▆▇█", "_.:-=+*#"
_NARROWEST = 8
"""Columns that a bar has at the least."""
_AS_TERMINAL = ("FORCE_COLOR", "TTY_COMPATIBLE")
"""Variables by which a user has what is no terminal taken for one."""


class Stream(Protocol):
    """Where lines go: to a terminal, or elsewhere."""

    @property
    def interactive(self) -> bool:
        """Whether it is a terminal that can be redrawn."""

    @property
    def encoding(self) -> str:
        """In small letters."""

    @property
    def width(self) -> int:
        """Columns."""

    @property
    def height(self) -> int | None:
        """Lines of the terminal now; None where it is none."""

    def print(self, line: Line, *, broken: bool = False) -> None:
        """`broken`: on a terminal, where it is too long, between its words."""

    def styled(self, line: Line) -> str:
        """What has to be written for it."""

    def write(self, text: str, *, at_once: bool = True) -> None:
        """As it is."""

    def live(
        self, draw: Callable[[], Sequence[Line]], *, leave: bool
    ) -> AbstractContextManager[Callable[[], None]]:
        """Lines that are drawn anew ten times a second, and when what is given is called; the
        terminal is restored whatever happens. `leave`: what they say at the end stays."""

    def screen(self) -> AbstractContextManager[Callable[[Sequence[Line]], None]]:
        """Lines that are drawn anew when they are given, on a screen of their own. What does not
        fit is cut off."""


def _stream(*, stderr: bool, color: bool) -> Stream:
    file = sys.stderr if stderr else sys.stdout
    if file is None or not (file.isatty() or any(map(os.environ.get, _AS_TERMINAL))):
        return Plain(stderr=stderr)
    from msctl.ui.terminal import Terminal

    return Terminal(stderr=stderr, color=color)


@dataclass
class Ui:
    """What a command shows."""

    color: bool = True
    quiet: bool = False
    clock: Callable[[], float] = time.monotonic
    out: Stream = field(init=False)
    err: Stream = field(init=False)
    _prefixes: dict[str, str] = field(init=False, default_factory=dict)
    _refresh: Callable[[], None] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.out = _stream(stderr=False, color=self.color)
        self.err = _stream(stderr=True, color=self.color)

    # Messages

    def say(self, text: str, style: str = "") -> None:
        """A message, unless msctl is to be quiet."""
        if not self.quiet:
            self._message(text, style)

    def note(self, text: str) -> None:
        """A remark that the operator should know."""
        self.say(f"note: {text}", "yellow")

    def warn(self, text: str) -> None:
        """What may end otherwise than was meant; said even when msctl is to be quiet."""
        self._message(f"warning: {text}", "yellow")

    def error(self, error: MsctlError) -> None:
        """What and where, the container's last lines, and what to type next."""
        if isinstance(error, StackFileError):
            lines, style = list(error.problems), "red"
        elif isinstance(error, Interrupted):
            lines, style = [error.message], "yellow"
        else:
            first, *more = error.message.splitlines() or [type(error).__name__]
            lines, style = [f"error: {first}", *(f"  {line}" for line in more)], "bold red"
        for line in lines:
            self._message(line, style)
        for line in error.log if isinstance(error, StepFailed) else ():
            if shown := neutral(line).strip():
                self.err.print(Line([(f"    {shown}", "dim")]))
        if error.hint:
            self.err.print(Line([("hint: ", "cyan"), (neutral(error.hint), "")]))

    def _message(self, text: str, style: str) -> None:
        self.err.print(Line([(neutral(text), style)]), broken=True)

    # Data

    def json(self, record: Mapping[str, Any], *, indent: int | None = 2) -> None:
        """One record; see `msctl.data`."""
        data.write_json(record, indent=indent)

    def write(self, text: str) -> None:
        """Data as it is; see `msctl.data`."""
        data.write(text)

    def show(self, blocks: Sequence[Block]) -> None:
        """Lines and tables."""
        width = None if self.out.height is None else self.out.width
        lines = [line for block in blocks for line in laid_out(block, width)]
        if width is not None:
            for line in lines:
                self.out.print(line)
        else:  # all at once
            self.out.write("".join(f"{line.plain}\n" for line in lines))

    def spark(self, values: Sequence[float | None]) -> str:
        """Values as a line of bars that begin at 0, one character each; a blank is unknown."""
        from sparklines import sparklines  # type: ignore[import-untyped]

        known = [value for value in values if value is not None]
        if not known:
            return " " * len(values)
        [line] = sparklines(list(values), minimum=0.0, maximum=max(known) or 1.0)
        if not self.out.encoding.startswith("utf"):
            line = line.translate(str.maketrans(_BARS, _ASCII_BARS))
        return str(line)

    def prefixed(self, name: str, width: int, text: str, *, at_once: bool) -> None:
        """A line that `name` wrote; each name keeps its colour from run to run. `at_once`: a
        reader waits for it."""
        key = f"{name:{width}} | "
        if key not in self._prefixes:
            color = _PALETTE[sum(name.encode()) % len(_PALETTE)]
            self._prefixes[key] = self.out.styled(Line([(neutral(key), color)]))
        self.out.write(f"{self._prefixes[key]}{neutral(text)}\n", at_once=at_once)

    # Live views

    @property
    def live(self) -> bool:
        """Whether somebody looks at a terminal that can be redrawn."""
        return self.err.interactive and not self.quiet

    @contextmanager
    def progress(
        self, lines: Callable[[], Sequence[Progress]], *, leave: bool = True
    ) -> Iterator[None]:
        """Redraw lines until the end; the terminal is restored whatever happens. `leave`: what
        they say at the end stays."""

        def draw() -> list[Line]:
            room = max(3, (self.err.height or 0) - 3)
            found = lines()
            drawn = [self._line(line) for line in found[:room]]
            if len(found) > room:
                drawn.append(Line([(f"  and {len(found) - room} more", "dim")]))
            return drawn

        with self.err.live(draw, leave=leave) as self._refresh:
            try:
                yield
            finally:
                self._refresh = None

    def finished(self, line: Progress) -> None:
        """A line of the live view that does not change any more."""
        if not self.quiet:
            self.err.print(self._line(line))
        if self._refresh is not None:
            self._refresh()  # at once: what has moved out of the view must not be in it

    @property
    def height(self) -> int | None:
        """Lines of the terminal now; None where data goes elsewhere."""
        return self.out.height

    @property
    def width(self) -> int:
        """Columns of a line of data."""
        return self.out.width

    @contextmanager
    def screen(self) -> Iterator[Callable[[Sequence[Block]], None]]:
        """A view of data that is drawn anew again and again, on a screen of its own: the
        terminal's content comes back at the end. What does not fit is cut off."""
        with self.out.screen() as draw:

            def laid(blocks: Sequence[Block]) -> None:
                width = None if self.out.height is None else self.out.width
                draw(
                    [
                        line
                        for block in blocks
                        for line in laid_out(block, width if isinstance(block, Table) else None)
                    ]
                )

            yield laid

    def _line(self, line: Progress) -> Line:
        utf8 = self.err.encoding.startswith("utf")
        spinner = _SPINNER if utf8 else _ASCII_SPINNER
        marks = {
            "waiting": (" ", "dim"),
            "running": (spinner[int(self.clock() * 10) % len(spinner)], "cyan"),
            "done": ("✓" if utf8 else "+", "green"),
            "left": ("-", "yellow"),
            "failed": ("✗" if utf8 else "x", "bold red"),
        }
        mark, style = marks[line.state]
        width = max(40, self.err.width)
        label, most = neutral(line.label), min(30, width // 3)
        if cells(label) > most:  # its end is what tells replicas apart
            label = ELLIPSIS + label[1 - most :]
        named = Line([(label, "dim" if line.state == "waiting" else "bold")])
        named = named.padded(min(most, max(line.column, 22)))
        count = f" {line.done}/{line.total}" if line.state in ("waiting", "running") else ""
        tail = "" if line.seconds is None else f" {line.seconds:6.1f} s"
        head = Line([(f"{mark} ", style)]) + named + Line([(count, "cyan"), ("  ", "")])
        room = min(28, width - head.width - len(tail) - _NARROWEST - 12)
        if line.share is not None and room >= _NARROWEST:
            head += _bar(line.share, room, utf8=utf8) + Line([("  ", "")])
        text = neutral(line.text).replace("\n", " ")
        room = max(4, width - head.width - len(tail) - 1)
        body = Line([(text, "red" if line.state == "failed" else "")]).cut(room).padded(room)
        return head + body + Line([(tail, "dim")])


def _bar(share: float, width: int, *, utf8: bool) -> Line:
    """How much of something is done, without colours too; half a column is the finest step."""
    halves = round(min(max(share, 0.0), 1.0) * width * 2)
    full, half, rest = ("━", "╸", "─") if utf8 else ("=", "-", " ")
    done = full * (halves // 2) + half * (halves % 2)
    return Line([(done, "cyan"), (rest * (width - len(done)), "dim")])
