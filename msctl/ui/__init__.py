"""The terminal: messages to stderr, data to stdout. The only package that imports rich.

What comes from containers, images and labels may hold terminal escapes: every text that is shown
goes through `neutral`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from msctl import data
from msctl.errors import Interrupted, MsctlError, StackFileError, StepFailed
from msctl.ui.layout import laid_out
from msctl.views import Block, Progress, Table, neutral

_PALETTE = ("cyan", "yellow", "green", "magenta", "blue", "bright_cyan", "bright_yellow",
            "bright_green", "bright_magenta", "bright_blue")  # fmt: skip
_SPINNER, _ASCII_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "|/-\\"
_BARS, _ASCII_BARS = "▁▂▃▄▅▆▇█", "_.:-=+*#"
_NARROWEST = 8
"""Columns that a bar has at the least."""


class _Messages(Console):
    """A console whose reader may go away, or whose disk may be full: the work goes on without
    telling."""

    def on_broken_pipe(self) -> None:
        self.quiet = True

    def print(self, *objects: Any, **options: Any) -> None:
        try:
            super().print(*objects, **options)
        except OSError:
            self.quiet = True

    def __exit__(self, *raised: Any) -> None:
        try:
            super().__exit__(*raised)
        except OSError:
            self.quiet = True


class _Data(Console):
    """A console whose reader may go away: then there is nothing more to do."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


@dataclass
class Ui:
    """What a command shows."""

    color: bool = True
    quiet: bool = False
    clock: Callable[[], float] = time.monotonic
    out: Console = field(init=False)
    err: Console = field(init=False)
    _prefixes: dict[str, str] = field(init=False, default_factory=dict)
    _live: Live | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        def console(kind: type[Console], *, stderr: bool) -> Console:
            return kind(
                stderr=stderr,
                color_system="auto" if self.color else None,
                markup=False,
                highlight=False,
                emoji=False,
                soft_wrap=True,
            )

        self.out, self.err = console(_Data, stderr=False), console(_Messages, stderr=True)

    # Messages

    def say(self, text: str, style: str = "") -> None:
        """A message, unless msctl is to be quiet."""
        if not self.quiet:
            self._message(text, style)

    def note(self, text: str) -> None:
        """A remark that the operator should know."""
        self.say(f"note: {text}", "yellow")

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
                self.err.print(Text(f"    {shown}", "dim"))
        if error.hint:
            self.err.print(Text.assemble(("hint: ", "cyan"), neutral(error.hint)))

    def _message(self, text: str, style: str) -> None:
        """On a terminal, lines are broken between words; elsewhere not at all."""
        self.err.print(Text(neutral(text), style), soft_wrap=not self.err.is_terminal)

    # Data

    def json(self, record: Mapping[str, Any], *, indent: int | None = 2) -> None:
        """One record; see `msctl.data`."""
        data.write_json(record, indent=indent)

    def write(self, text: str) -> None:
        """Data as it is; see `msctl.data`."""
        data.write(text)

    def show(self, blocks: Sequence[Block]) -> None:
        """Lines and tables."""
        width = self.out.width if self.out.is_terminal else None
        texts = [text for block in blocks for text in laid_out(block, width)]
        if self.out.is_terminal:
            for text in texts:
                self.out.print(text)
        else:  # without colours, which rich takes long to leave out
            self.out.file.write("".join(f"{text.plain}\n" for text in texts))
            self.out.file.flush()

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
            with self.out.capture() as captured:
                self.out.print(Text(neutral(key), color), end="")
            self._prefixes[key] = captured.get()
        self.out.file.write(f"{self._prefixes[key]}{neutral(text)}\n")
        if at_once:
            self.out.file.flush()

    # Live views

    @property
    def live(self) -> bool:
        """Whether somebody looks at a terminal that can be redrawn."""
        return self.err.file.isatty() and not self.err.is_dumb_terminal and not self.quiet

    @contextmanager
    def progress(
        self, lines: Callable[[], Sequence[Progress]], *, leave: bool = True
    ) -> Iterator[None]:
        """Redraw lines until the end; the terminal is restored whatever happens. `leave`: what
        they say at the end stays."""

        def draw() -> Group:
            room = max(3, self.err.height - 3)
            found = lines()
            drawn = [self._line(line) for line in found[:room]]
            if len(found) > room:
                drawn.append(Text(f"  and {len(found) - room} more", "dim"))
            return Group(*drawn)

        with Live(
            get_renderable=draw,
            console=self.err,
            refresh_per_second=10,
            transient=not leave,
            redirect_stdout=False,
            redirect_stderr=False,
        ) as self._live:
            try:
                yield
            finally:
                self._live = None

    def finished(self, line: Progress) -> None:
        """A line of the live view that does not change any more."""
        if not self.quiet:
            self.err.print(self._line(line))
        if self._live is not None:
            self._live.refresh()  # at once: what has moved out of the view must not be in it

    @property
    def height(self) -> int | None:
        """Lines of the terminal now; None where data goes elsewhere."""
        return self.out.height if self.out.is_terminal else None

    @property
    def width(self) -> int:
        """Columns of a line of data."""
        return self.out.width

    @contextmanager
    def screen(self) -> Iterator[Callable[[Sequence[Block]], None]]:
        """A view of data that is drawn anew again and again, on a screen of its own: the
        terminal's content comes back at the end. What does not fit is cut off."""
        with Live(
            console=self.out,
            screen=self.out.is_terminal,
            auto_refresh=False,
            redirect_stderr=False,
        ) as live:

            def draw(blocks: Sequence[Block]) -> None:
                width = self.out.width
                texts = [
                    text
                    for block in blocks
                    for text in laid_out(block, width if isinstance(block, Table) else None)
                ]
                for text in texts:
                    text.truncate(width, overflow="ellipsis")
                live.update(Group(*texts), refresh=True)

            yield draw

    def _line(self, line: Progress) -> Text:
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
        label = Text(neutral(line.label), "dim" if line.state == "waiting" else "bold")
        most = min(30, width // 3)
        if label.cell_len > most:  # its end is what tells replicas apart
            label = Text("…", label.style) + label[1 - most :]
        label.pad_right(max(0, min(most, max(line.column, 22)) - label.cell_len))
        count = f" {line.done}/{line.total}" if line.state in ("waiting", "running") else ""
        tail = "" if line.seconds is None else f" {line.seconds:6.1f} s"
        head = Text.assemble((f"{mark} ", style), label, (count, "cyan"), "  ")
        room = min(28, width - head.cell_len - len(tail) - _NARROWEST - 12)
        if line.share is not None and room >= _NARROWEST:
            head.append_text(_bar(line.share, room, utf8=utf8)).append("  ")
        body = Text(neutral(line.text).replace("\n", " "), "red" if line.state == "failed" else "")
        body.truncate(max(4, width - head.cell_len - len(tail) - 1), overflow="ellipsis", pad=True)
        return Text.assemble(head, body, (tail, "dim"))


def _bar(share: float, width: int, *, utf8: bool) -> Text:
    """How much of something is done, without colours too; half a column is the finest step."""
    halves = round(min(max(share, 0.0), 1.0) * width * 2)
    full, half, rest = ("━", "╸", "─") if utf8 else ("=", "-", " ")
    done = full * (halves // 2) + half * (halves % 2)
    return Text.assemble((done, "cyan"), (rest * (width - len(done)), "dim"))
