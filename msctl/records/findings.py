"""What is found wrong with a value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, NoReturn, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Keys and indices that lead to a value."""


class Wrong(ValueError):
    """A value is not what it has to be; the message says what was found and what is allowed."""


def wrong(message: str) -> NoReturn:
    """Refuse a value: `message` says what was found and what is allowed."""
    raise Wrong(message)


def shown(value: object) -> str:
    """A value as an error message quotes it: one line, short, no control characters."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > 64:
        return "a huge number"
    text = value if isinstance(value, str) and re.fullmatch(r"[\w./:%@-]+", value) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


class Finding(NamedTuple):
    """One thing that is wrong."""

    at: Path
    """Where, from the value that was read."""
    kind: Literal["wrong", "unknown", "missing"]
    """The value itself; or a key, the last one of `at`, that its record does not have or lacks."""
    message: str
    """What a `Check` says of it; of a key, its name."""
    record: Any = None
    """The class whose key is unknown or missing."""


class Unfit(ValueError):
    """A value cannot be read as what it should be."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        shown = (f"{'.'.join(map(str, found.at))}: {found.message}" for found in findings)
        super().__init__("\n".join(shown))
        self.findings = tuple(findings)
        """All of them; never empty."""
