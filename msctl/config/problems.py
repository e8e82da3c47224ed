"""A problem of the stack file: where it is, what it is, and how it prints."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from msctl.errors import StackFileError
from msctl.fields import shown

MOST_PROBLEMS = 200
"""Problems that are looked for and told in one go."""
Path = tuple[str | int, ...]
"""Where a value is: keys and list indices from the top, `('services', 'web', 'routes', 0)`."""


@dataclass(frozen=True)
class Problem:
    """One problem; `path` is empty where it concerns the whole file."""

    line: int
    path: Path
    message: str

    def text(self, file: str) -> str:
        """`FILE:LINE: PATH: MESSAGE`, one line."""
        where = f"{show_path(self.path)}: " if self.path else ""
        return f"{file}:{self.line}: {where}{self.message}"


class Malformed(Exception):
    """A file that cannot be read any further."""

    def __init__(self, line: int, message: str, path: Path = ()) -> None:
        super().__init__(message)
        self.problem = Problem(line, path, message)


def show_path(path: Path) -> str:
    """`services.web.routes[0].path`; keys of other characters are quoted."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.fullmatch(r"[A-Za-z0-9_-]+", part):
            text += f".{part}" if text else part
        else:
            text += f"[{shown(part)}]"
    return text


def as_error(problems: Iterable[Problem], file: str, before: Iterable[str] = ()) -> StackFileError:
    """All problems in the order of the file, each once, after those of other files."""
    ordered = sorted(dict.fromkeys(problems), key=lambda problem: problem.line)
    lines = [*before, *(problem.text(file) for problem in ordered)]
    if len(lines) > MOST_PROBLEMS:
        more = f"{file}: more than {MOST_PROBLEMS} problems; these are the first"
        lines = [*lines[:MOST_PROBLEMS], more]
    return StackFileError(lines)
