"""The base of all records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import get_annotations
from types import MappingProxyType
from typing import Any, ClassVar, Final, NoReturn, Self, dataclass_transform

from msctl.records.findings import Finding, Path, Wrong, shown
from msctl.records.reading import BROKEN, Reader, Reading, found_by, reader_of

_REQUIRED: Final = object()


class Key:
    """One key of a record."""

    __slots__ = ("annotation", "attribute", "default", "factory", "name", "of_file")

    def __init__(
        self, default: Any, factory: Callable[[], Any] | None, name: str, of_file: bool
    ) -> None:
        self.default, self.factory, self.of_file = default, factory, of_file
        self.name = name
        """As the file has it."""
        self.attribute = ""
        """As the class has it."""
        self.annotation: Any = None
        """Its type, with its marks."""

    @property
    def required(self) -> bool:
        return self.default is _REQUIRED and self.factory is None

    def usual(self) -> Any:
        """What it is where the file does not give it."""
        return self.default if self.factory is None else self.factory()


def key(
    default: Any = _REQUIRED,
    *,
    factory: Callable[[], Any] | None = None,
    alias: str = "",
    of_file: bool = True,
) -> Any:
    """A key whose default is made each time, that the file calls otherwise, or does not know."""
    return Key(default, factory, alias, of_file)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(key,))
class Record:
    """A mapping of a file: frozen, unknown keys refused, `x-*` left to the user.

    A subclass's annotations are its keys; they are looked at when it is defined, so its module
    must not postpone them (`from __future__ import annotations`).
    """

    keys: ClassVar[Mapping[str, Key]] = MappingProxyType({})
    """The keys, by attribute."""
    given: frozenset[str]
    """Attributes that the file, or whoever made the record, has set."""
    _readers: ClassVar[Mapping[str, tuple[Key, Reader]] | None] = None

    __slots__ = ("__dict__", "given")

    def __init_subclass__(cls) -> None:
        own = {}
        for name, annotation in get_annotations(cls).items():
            default = vars(cls).get(name, _REQUIRED)
            own[name] = one = default if isinstance(default, Key) else key(default)
            one.annotation, one.attribute, one.name = annotation, name, one.name or name
            if default is not _REQUIRED:
                delattr(cls, name)
        cls.keys = MappingProxyType({**cls.keys, **own})
        cls._readers = None

    def __init__(self, **values: Any) -> None:
        """A record made by code: the values are right as they are."""
        if unknown := values.keys() - self.keys.keys():
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}")
        lacking = [name for name, one in self.keys.items() if one.required and name not in values]
        if lacking:
            raise TypeError(f"{type(self).__name__} lacks {', '.join(lacking)}")
        self._fill(values)

    def _fill(self, values: Mapping[str, Any]) -> None:
        known = vars(self)
        for name, one in self.keys.items():
            known[name] = values[name] if name in values else one.usual()
        object.__setattr__(self, "given", frozenset(values))

    @classmethod
    def read(cls, value: object, *, keep: bool = False) -> Self:
        """The record that a file's value is; with `keep`, texts may have their `${VAR}` still.

        Raises:
            Unfit: it is none, or something in it is wrong.
        """
        found: Self = found_by(cls.read_at, value, keep)
        return found

    @classmethod
    def read_at(cls, value: Any, at: Path, reading: Reading) -> Any:
        """As a part of a larger value; what is wrong is noted in `reading`."""
        if isinstance(value, cls):
            return value
        if not isinstance(value, dict):
            return reading.wrong(at, cls._no_mapping(value))
        if cls._readers is None:
            cls._readers = {
                one.name: (one, reader_of(one.annotation))
                for one in cls.keys.values()
                if one.of_file
            }
        before = len(reading.findings)
        values = {}
        for name, (one, reader) in cls._readers.items():
            if name in value:
                found = reader(value[name], (*at, name), reading)
                if found is not BROKEN:
                    values[one.attribute] = found
            elif one.required:
                reading.findings.append(Finding((*at, name), "missing", name, cls))
        for name in value:
            if name not in cls._readers and not str(name).startswith("x-"):
                reading.findings.append(Finding((*at, name), "unknown", str(name), cls))
        if len(reading.findings) > before:
            return BROKEN
        record = cls.__new__(cls)
        record._fill(values)
        try:
            record.agree()
        except Wrong as error:
            return reading.wrong(at, str(error))
        return record

    @classmethod
    def _no_mapping(cls, value: object) -> str:
        first = next(iter(cls.keys))
        return f"{shown(value)} is not a mapping of keys to values, such as {{{first}: …}}"

    def agree(self) -> None:
        """Look whether the values go together, each being right by itself.

        Raises:
            Wrong: they do not.
        """

    def replaced(self, **changes: Any) -> Self:
        """The same record with other values of some attributes."""
        found = type(self).__new__(type(self))
        vars(found).update(vars(self), **changes)
        object.__setattr__(found, "given", self.given | changes.keys())
        return found

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        given = (f"{name}={getattr(self, name)!r}" for name in vars(self) if name in self.given)
        return f"{type(self).__name__}({', '.join(given)})"

    def __setstate__(self, state: tuple[dict[str, Any], dict[str, Any]]) -> None:
        """For `copy` and `pickle`."""
        values, slots = state
        vars(self).update(values)
        object.__setattr__(self, "given", slots["given"])

    def __setattr__(self, name: str, _value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be changed: records are frozen")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be changed: records are frozen")
