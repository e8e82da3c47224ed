"""Records and other values → as a file has them."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from msctl.records.marks import Shown
from msctl.records.reading import fits
from msctl.records.record import Record


def written(record: Record, *, given: bool = True) -> dict[str, Any]:
    """The mapping that reads as this record: of the keys that were given, or that differ from
    their defaults."""
    found = {}
    for name, key in record.keys.items():
        value = getattr(record, name)
        if key.of_file and (
            name in record.given if given else key.required or value != key.usual()
        ):
            found[key.name] = written_as(key.annotation, value, given=given)
    return found


def written_as(annotation: Any, value: Any, *, given: bool = True) -> Any:
    """A value of an annotated type, as a file has it."""
    if isinstance(value, Record):
        return written(value, given=given)
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        shown = [mark.write for mark in args[1:] if isinstance(mark, Shown)]
        return shown[-1](value) if shown else written_as(args[0], value, given=given)
    if origin in (Union, UnionType) and value is not None:
        kinds = (kind for kind in args if kind is not NoneType and fits(value, kind))
        return written_as(next(kinds, Any), value, given=given)
    if isinstance(value, list | tuple):
        item = args[0] if origin is tuple else Any
        return [written_as(item, one, given=given) for one in value]
    if isinstance(value, dict):
        item = args[1] if args else Any
        return {name: written_as(item, one, given=given) for name, one in value.items()}
    return value
