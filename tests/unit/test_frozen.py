"""Records are what Python's own frozen dataclasses are."""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import FrozenInstanceError, field
from functools import cached_property
from typing import Any, ClassVar

import pytest

from msctl import frozen


def classes(dataclass: Any) -> tuple[Any, Any]:
    """The same two classes, made by one decorator or the other."""

    @dataclass(frozen=True)
    class Base:
        name: str
        kind: ClassVar[str] = "base"
        count: int = 1
        seen: list[int] = field(default_factory=list, compare=False)

        @cached_property
        def twice(self) -> int:
            return 2 * self.count

    @dataclass(frozen=True, kw_only=True)
    class Derived(Base):
        kind: ClassVar[str] = "derived"
        target: str
        hidden: str = field(default="", repr=False)

        def __str__(self) -> str:
            return f"to {self.target}"

    return Base, Derived


CALLS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    (("a",), {}),
    (("a", 2), {}),
    (("a",), {"count": 3, "seen": [1]}),
    ((), {"name": "a"}),
    ((), {}),
    (("a", 2, [], "more"), {}),
    (("a",), {"name": "b"}),
    (("a",), {"other": 1}),
    (("a",), {"target": "t"}),
    (("a", 2), {"target": "t", "hidden": "h"}),
]


@pytest.mark.parametrize("place", [0, 1], ids=["base", "derived"])
@pytest.mark.parametrize(("args", "given"), CALLS)
def test_a_record_is_made_shown_and_taken_apart_alike(
    place: int, args: tuple[Any, ...], given: dict[str, Any]
) -> None:
    """The same arguments are accepted, and give the same."""
    found = []
    for dataclass in (dataclasses.dataclass, frozen.dataclass):
        cls = classes(dataclass)[place]
        try:
            one = cls(*args, **given)
        except TypeError:
            found.append("refused")
            continue
        changed = dataclasses.replace(one, count=7)
        found.append(
            (
                repr(one),
                str(one),
                dataclasses.asdict(one),
                repr(changed),
                cls.__match_args__,
                one == cls(*args, **given),
                one == changed,
                hash(one) == hash(cls(*args, **given)),
                copy.copy(one) == one,
                one.twice,
                cls.kind,
            )
        )
    assert found[0] == found[1]


def test_a_record_cannot_be_changed() -> None:
    """Neither can a field be set, nor taken away, nor a new one be made."""
    base, derived = classes(frozen.dataclass)
    for one in (base("a"), derived("a", target="t")):
        for deed in (lambda o: setattr(o, "name", "b"), lambda o: setattr(o, "new", 1),
                     lambda o: delattr(o, "name")):  # fmt: skip
            with pytest.raises(FrozenInstanceError):
                deed(one)


def test_records_of_different_classes_are_not_equal() -> None:
    """However equal their fields are; nor does what is not compared count."""
    base, derived = classes(frozen.dataclass)
    assert base("a") != derived("a", target="t")
    assert base("a") != ("a", 1)
    assert base("a", 1, [1]) == base("a", 1, [2])
