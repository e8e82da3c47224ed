"""What an annotation says of a value, beside its type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


class Check:
    """How a value is read, before its type is looked at; several follow one another as written.

    `read` gives the value, or another in its place, or raises `Wrong`. With `keeps` it gets a
    second argument: whether a text may keep its `${VAR}`. `accepts` is the type of what it reads,
    where the schema cannot be told from what it gives.
    """

    __slots__ = ("accepts", "keeps", "read")

    def __init__(
        self, read: Callable[..., object], *, keeps: bool = False, accepts: Any = None
    ) -> None:
        self.read, self.keeps, self.accepts = read, keeps, accepts


class Schema:
    """What JSON Schema says of a value, in the place of what its type does."""

    __slots__ = ("data",)

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data


class Shown:
    """How a value is written in a file."""

    __slots__ = ("write",)

    def __init__(self, write: Callable[[Any], object]) -> None:
        self.write = write
