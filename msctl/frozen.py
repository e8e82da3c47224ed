"""`dataclass(frozen=True)`, made at a tenth of the cost.

Python's own writes six methods for each class and compiles them (4 M instructions), and a hundred
classes are made before a command begins. Here all share theirs. What a class has written itself it
keeps; `fields`, `replace`, `asdict` and `match` work as they always do. Neither kind can inherit
from the other.
"""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING, Field, FrozenInstanceError
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

_ABSENT = object()


_known: dict[type, tuple[Field[Any], ...]] = {}
"""The fields of the classes that were used."""


def _fields(cls: type) -> tuple[Field[Any], ...]:
    if (found := _known.get(cls)) is None:
        found = _known[cls] = dataclasses.fields(cls)
    return found


def _init(self: Any, *args: Any, **given: Any) -> None:
    values = self.__dict__
    places = iter(args)
    for field in _fields(type(self)):
        value = _ABSENT
        if field.init:
            value = _ABSENT if field.kw_only else next(places, _ABSENT)
            if value is _ABSENT:
                value = given.pop(field.name, _ABSENT)
        if value is _ABSENT:
            if field.default is not MISSING:
                value = field.default
            elif field.default_factory is not MISSING:
                value = field.default_factory()
            else:
                raise TypeError(f"{type(self).__name__}() wants {field.name}")
        values[field.name] = value
    if given or next(places, _ABSENT) is not _ABSENT:
        raise TypeError(f"{type(self).__name__}() does not take {', '.join(given) or 'so much'}")


def _repr(self: Any) -> str:
    shown = (f"{f.name}={getattr(self, f.name)!r}" for f in _fields(type(self)) if f.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _compared(self: Any) -> tuple[Any, ...]:
    return tuple(getattr(self, field.name) for field in _fields(type(self)) if field.compare)


def _eq(self: Any, other: object) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    return _compared(self) == _compared(other)


def _hash(self: Any) -> int:
    return hash(_compared(self))


def _setattr(_self: Any, name: str, _value: Any) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(_self: Any, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


_SHARED = {
    "__init__": _init, "__repr__": _repr, "__eq__": _eq, "__hash__": _hash,
    "__setattr__": _setattr, "__delattr__": _delattr,
}  # fmt: skip


if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(*, frozen: bool, kw_only: bool = False):
        """A decorator; `frozen` is always true, and stands there for those who read it."""
        assert frozen

        def make(cls):
            own = cls.__dict__
            for name, method in _SHARED.items():
                if name not in own or (name == "__hash__" and own[name] is None):
                    setattr(cls, name, method)
            return dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=kw_only)(cls)

        return make
