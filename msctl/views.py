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


Block = Table | Sequence[Cell]
"""A table, or a line of cells."""


@dataclass(frozen=True)
class Progress:
    """One line of the live view: how far something is."""

    label: str
    state: Literal["waiting", "running", "done", "failed"]
    done: int = 0
    total: int = 0
    text: str = ""
    seconds: float | None = None
    share: float | None = None
    """From 0 to 1: how much of it is done, as a bar; None: a bar would say nothing."""
