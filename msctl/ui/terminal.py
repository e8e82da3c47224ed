"""A terminal: colours, views that are drawn anew. The only module that imports rich's console."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from msctl.ui.line import Line


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


class Terminal:
    """See `msctl.ui.Stream`."""

    def __init__(self, *, stderr: bool, color: bool) -> None:
        kind = _Messages if stderr else _Data
        self.console: Console = kind(
            stderr=stderr,
            color_system="auto" if color else None,
            markup=False,
            highlight=False,
            emoji=False,
            soft_wrap=True,
        )

    @property
    def interactive(self) -> bool:
        return self.console.file.isatty() and not self.console.is_dumb_terminal

    @property
    def encoding(self) -> str:
        return self.console.encoding

    @property
    def width(self) -> int:
        return self.console.width

    @property
    def height(self) -> int | None:
        return self.console.height if self.console.is_terminal else None

    def print(self, line: Line, *, broken: bool = False) -> None:
        self.console.print(_text(line), soft_wrap=not (broken and self.console.is_terminal))

    def styled(self, line: Line) -> str:
        with self.console.capture() as captured:
            self.console.print(_text(line), end="")
        return captured.get()

    def write(self, text: str, *, at_once: bool = True) -> None:
        self.console.file.write(text)
        if at_once:
            self.console.file.flush()

    @contextmanager
    def live(
        self, draw: Callable[[], Sequence[Line]], *, leave: bool
    ) -> Iterator[Callable[[], None]]:
        with Live(
            get_renderable=lambda: Group(*map(_text, draw())),
            console=self.console,
            refresh_per_second=10,
            transient=not leave,
            redirect_stdout=False,
            redirect_stderr=False,
        ) as live:
            yield live.refresh

    @contextmanager
    def screen(self) -> Iterator[Callable[[Sequence[Line]], None]]:
        with Live(
            console=self.console,
            screen=self.console.is_terminal,
            auto_refresh=False,
            redirect_stderr=False,
        ) as live:
            yield lambda lines: live.update(
                Group(*(_text(line.cut(self.width)) for line in lines)), refresh=True
            )


def _text(line: Line) -> Text:
    return Text.assemble(*line.parts)
