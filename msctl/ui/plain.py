"""A stream that leads to a file, a pipe or a log: lines without looks.

rich would write the same; to load it takes longer than all else that there is to show.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from msctl.ui.line import Line


@dataclass
class Plain:
    """See `msctl.ui.Stream`."""

    stderr: bool
    gone: bool = False
    """Whether messages have no reader, or no room, any more: the work goes on without telling."""
    height: int | None = None
    interactive: bool = False

    @property
    def encoding(self) -> str:
        return (getattr(self._file(), "encoding", None) or "utf-8").lower()

    @property
    def width(self) -> int:
        import shutil

        return shutil.get_terminal_size().columns

    def print(self, line: Line, *, broken: bool = False) -> None:  # noqa: ARG002
        self.write(f"{line.plain}\n")

    def styled(self, line: Line) -> str:
        return line.plain

    def write(self, text: str, *, at_once: bool = True) -> None:
        file = self._file()
        if file is None or self.gone:
            return
        try:
            file.write(text)
            if at_once:
                file.flush()
        except OSError:
            if not self.stderr:
                raise
            self.gone = True

    @contextmanager
    def live(
        self, draw: Callable[[], Sequence[Line]], *, leave: bool
    ) -> Iterator[Callable[[], None]]:
        """What is under way is not shown, but how it ended, where that is to stay."""
        yield lambda: None
        if leave:
            for line in draw():
                self.print(line)

    @contextmanager
    def screen(self) -> Iterator[Callable[[Sequence[Line]], None]]:
        """Each view below the one before."""

        def draw(lines: Sequence[Line]) -> None:
            self.write("".join(f"{line.plain}\n" for line in lines))

        yield draw

    def _file(self) -> TextIO | None:
        return sys.stderr if self.stderr else sys.stdout
