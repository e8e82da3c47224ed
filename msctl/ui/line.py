"""A line of text, each part of which has its look; as wide as a terminal shows it."""

from __future__ import annotations

from collections.abc import Iterable

ELLIPSIS = "…"
"""Stands for what was cut off."""


def cells(text: str) -> int:
    """Columns of a terminal: letters of East Asia and pictures take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def beginning(text: str, width: int) -> str:
    """What of it goes into `width` columns; they are filled."""
    if text.isascii():
        return text[:width].ljust(width)
    from rich.cells import set_cell_size

    return set_cell_size(text, width)


class Line:
    """Parts: text and style (`bold red`), in the words of rich."""

    def __init__(self, parts: Iterable[tuple[str, str]] = ()) -> None:
        self.parts = [part for part in parts if part[0]]

    @property
    def plain(self) -> str:
        return "".join(text for text, _ in self.parts)

    @property
    def width(self) -> int:
        """Columns."""
        return sum(cells(text) for text, _ in self.parts)

    def __add__(self, other: Line) -> Line:
        return Line([*self.parts, *other.parts])

    def cut(self, width: int) -> Line:
        """Within `width` columns; what does not fit is replaced by an ellipsis."""
        if self.width <= width:
            return self
        kept: list[tuple[str, str]] = []
        room = width - 1
        for text, style in self.parts:
            if cells(text) > room:
                return Line([*kept, (beginning(text, room) + ELLIPSIS, style)])
            kept.append((text, style))
            room -= cells(text)
        return Line(kept)

    def padded(self, width: int) -> Line:
        """At least `width` columns, with blanks at the end."""
        *parts, (text, style) = self.parts or [("", "")]
        return Line([*parts, (text + " " * (width - self.width), style)])

    def trimmed(self) -> Line:
        """Without blanks at the end."""
        parts = list(self.parts)
        while parts:
            text, style = parts.pop()
            if text := text.rstrip():
                return Line([*parts, (text, style)])
        return Line()
