"""Type annotations → functions that read values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Protocol, Union, get_args, get_origin

from msctl.records.findings import Finding, Path, Unfit, Wrong, shown
from msctl.records.marks import Check

BROKEN: Final[Any] = object()
"""Stands for a value that could not be read."""


class Reading:
    """The reading of one value, with all that is in it."""

    __slots__ = ("findings", "keep")

    def __init__(self, keep: bool) -> None:
        self.keep = keep
        """Whether texts may keep their `${VAR}`."""
        self.findings: list[Finding] = []

    def wrong(self, at: Path, message: str) -> Any:
        self.findings.append(Finding(at, "wrong", message))
        return BROKEN


Reader = Callable[[Any, Path, Reading], Any]
"""Reads a value that stands at a path; what is wrong with it is noted, and BROKEN given."""


class Readable(Protocol):
    """A class that reads its instances itself."""

    @classmethod
    def read_at(cls, value: Any, at: Path, reading: Reading) -> Any: ...


def read_as(annotation: Any, value: object, *, keep: bool = False) -> Any:
    """A value as an annotated type has it.

    Raises:
        Unfit: it cannot be read so.
    """
    return found_by(reader_of(annotation), value, keep)


def found_by(reader: Reader, value: object, keep: bool) -> Any:
    """What a reader makes of a value.

    Raises:
        Unfit: it has findings.
    """
    reading = Reading(keep)
    found = reader(value, (), reading)
    if reading.findings:
        raise Unfit(reading.findings)
    return found


def reader_of(annotation: Any) -> Reader:
    """The reader of an annotated type.

    Raises:
        TypeError: nothing is known of such a type.
    """
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _checked(reader_of(args[0]), [mark for mark in args[1:] if isinstance(mark, Check)])
    if origin in (Union, UnionType):
        return _one_of(args)
    if origin is Literal:
        return _exactly(lambda value: fits(value, annotation))
    if origin is tuple and args[1:] == (...,):
        return _each(reader_of(args[0]))
    if origin in (dict, Mapping) and args[0] is str:
        return _mapped(reader_of(args[1]))
    if hasattr(annotation, "read_at"):
        return annotation.read_at  # type: ignore[no-any-return]
    if annotation is Any:
        return _as_it_is
    if isinstance(annotation, type) and origin is None:
        return _exactly(lambda value: fits(value, annotation))
    raise TypeError(f"{annotation} is no type of a value in a file")


def fits(value: object, annotation: Any) -> bool:
    """Whether a value is of a type, its contents left aside; true and false are no numbers."""
    origin, args = get_origin(annotation), get_args(annotation)
    if annotation is Any:
        return True
    if origin is Annotated:
        return fits(value, args[0])
    if origin is Literal:
        return any(value == one and type(value) is type(one) for one in args)
    kind = origin or annotation
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (list, tuple) if kind is tuple else kind)


def _as_it_is(value: Any, _at: Path, _reading: Reading) -> Any:
    return value


def _exactly(right: Callable[[Any], bool]) -> Reader:
    def read(value: Any, at: Path, reading: Reading) -> Any:
        return value if right(value) else _misplaced(value, at, reading)

    return read


def _misplaced(value: object, at: Path, reading: Reading) -> Any:
    """A type that no check has spoken of; the checks come first."""
    return reading.wrong(at, f"{shown(value)} is not accepted here")


def _checked(inner: Reader, checks: list[Check]) -> Reader:
    steps = [(check.read, check.keeps) for check in checks]

    def read(value: Any, at: Path, reading: Reading) -> Any:
        try:
            for check, keeps in steps:
                value = check(value, reading.keep) if keeps else check(value)
        except Wrong as error:
            return reading.wrong(at, str(error))
        return inner(value, at, reading)

    return read if steps else inner


def _one_of(kinds: tuple[Any, ...]) -> Reader:
    """The first of several types that a value is of; where one is left, it explains itself."""
    others = [kind for kind in kinds if kind is not NoneType]
    readers = [(kind, reader_of(kind)) for kind in others]
    optional = len(others) < len(kinds)

    def read(value: Any, at: Path, reading: Reading) -> Any:
        if value is None and optional:
            return None
        if len(readers) == 1:
            return readers[0][1](value, at, reading)
        for kind, reader in readers:
            if fits(value, kind):
                return reader(value, at, reading)
        return _misplaced(value, at, reading)

    return read


def _each(item: Reader) -> Reader:
    def read(value: Any, at: Path, reading: Reading) -> Any:
        if not isinstance(value, list | tuple):
            return _misplaced(value, at, reading)
        found = tuple(item(one, (*at, index), reading) for index, one in enumerate(value))
        return BROKEN if BROKEN in found else found

    return read


def _mapped(item: Reader) -> Reader:
    def read(value: Any, at: Path, reading: Reading) -> Any:
        if not isinstance(value, Mapping):
            return _misplaced(value, at, reading)
        found = {
            name: item(one, (*at, name), reading)
            if isinstance(name, str)
            else _misplaced(name, (*at, name), reading)
            for name, one in value.items()
        }
        return BROKEN if BROKEN in found.values() else found

    return read
