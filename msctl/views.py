"""What is shown: lines, tables, and how far something is; no text in it moves a cursor. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from msctl.frozen import dataclass

_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, cursor, erasing
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # strings
    r"|\x1b[ -/]*[0-~]?"
)
_CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def neutral(text: str) -> str:
    """The text without terminal escapes; other control characters become U+FFFD, except tabs and
    line feeds. Marks that reverse the direction of writing count as control characters."""
    return _CONTROLS.sub("\ufffd", _ESCAPES.sub("", text.replace("\r\n", "\n")).replace("\r", ""))


@dataclass(frozen=True)
class Cell:
    """A text and how it looks."""

    text: str = ""
    style: str = ""
    tail: bool = False
    """Whether its end is what matters where it has to be cut."""


@dataclass(frozen=True)
class Table:
    """Rows under headings."""

    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    shrink: Sequence[int] = ()
    """The columns that become narrower on a narrow terminal, the first one first."""
    spare: Sequence[str] = ()
    """Headings of the columns that are left out before a name in the first one is cut."""
    drop: Sequence[str] = ()
    """Headings of the columns that are left out where that is not enough, the first one first."""


@dataclass(frozen=True)
class Flow:
    """Texts side by side, and below each other where the terminal is too narrow for that."""

    parts: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Paragraph:
    """A text that is broken between its words; all its lines begin below the first one."""

    lead: Sequence[Cell]
    """What stands before the text, once."""
    text: Cell


Block = Table | Flow | Paragraph | Sequence[Cell]
"""A table, texts, or a line of cells, which is never broken: commands can be copied out of it."""


@dataclass(frozen=True)
class Progress:
    """One line of the live view: how far something is."""

    label: str
    state: Literal["waiting", "running", "done", "left", "failed"]
    """`left`: it is over, and something was not to be had."""
    done: int = 0
    total: int = 0
    text: str = ""
    seconds: float | None = None
    share: float | None = None
    """From 0 to 1: how much of it is done, as a bar; None: a bar would say nothing."""
    column: int = 0
    """Columns of the longest label of the view, so that all of it is aligned."""
