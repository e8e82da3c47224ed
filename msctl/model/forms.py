"""What several records of the stack file have in common."""

from __future__ import annotations

from typing import Any

from msctl.fields import whole
from msctl.records import Check, Record, Schema


def short(key: str, record: type[Record], bare: Any = str) -> Check:
    """The short form of a record: a bare value that stands for its key `key`."""

    def expand(value: object) -> object:
        return {key: value} if isinstance(value, str | int | float) else value

    return Check(expand, accepts=bare | record)


def count_of(what: str) -> Check:
    return Check(lambda value: whole(value, what, 1, 1000))


COUNT_SCHEMA = Schema({"type": ["integer", "string"], "minimum": 1, "maximum": 1000})
