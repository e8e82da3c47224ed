"""Records: what is read, what is found wrong, and that nothing changes them."""

import copy
import pickle
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msctl.records import Check, Finding, Record, Shown, Unfit, key, read_as, written, wrong


def even(value: object) -> object:
    if isinstance(value, int) and value % 2:
        wrong(f"{value} is odd")
    return value


def number(value: object, keep: bool) -> object:
    if keep and isinstance(value, str):
        return value
    if not isinstance(value, str) or not value.isdigit():
        wrong("not digits")
    return int(value)


Even = Annotated[int, Check(even), Shown(lambda value: f"{value} pieces")]


class Box(Record):
    """A box of things."""

    height: Even
    width: int = 2
    colour: Literal["red", "blue"] = "red"


def bare(value: object) -> object:
    return {"height": value} if isinstance(value, int) else value


class Shelf(Record):
    """A shelf of boxes."""

    name: str
    boxes: tuple[Annotated[Box, Check(bare)], ...] = ()
    labels: dict[str, str | None] = key(factory=dict)
    spare: Box | None = None
    size: Annotated[int | str, Check(number, keeps=True)] = 1
    anything: dict[str, Any] = key(factory=dict, alias="x-any")
    place: str = key("hall", of_file=False)

    def agree(self) -> None:
        if len(self.boxes) > 3:
            wrong("more than three boxes")


def found(value: object, kind: Any = Shelf) -> list[tuple[Any, ...]]:
    with pytest.raises(Unfit) as refusal:
        read_as(kind, value)
    return [tuple(finding[:3]) for finding in refusal.value.findings]


def test_a_mapping_becomes_a_record() -> None:
    """Short forms, lists, records in records, keys with another name, and `x-*` left alone."""
    shelf = Shelf.read(
        {
            "name": "a",
            "boxes": [2, {"height": 4, "colour": "blue"}],
            "x-any": {"a": [1]},
            "x-more": 1,
        }
    )
    assert shelf.boxes == (Box(height=2), Box(height=4, colour="blue"))
    assert (shelf.anything, shelf.labels, shelf.spare) == ({"a": [1]}, {}, None)
    assert shelf.given == {"name", "boxes", "anything"}


def test_all_that_is_wrong_is_found_at_once() -> None:
    """In the order of the keys, unknown ones last, each with its path."""
    value = {"boxes": [1, {"width": "x", "hight": 2}], "labels": {"a": 1}, "spare": 5, "nmae": "a"}
    assert found(value) == [
        (("name",), "missing", "name"),
        (("boxes", 0, "height"), "wrong", "1 is odd"),
        (("boxes", 1, "height"), "missing", "height"),
        (("boxes", 1, "width"), "wrong", "x is not accepted here"),
        (("boxes", 1, "hight"), "unknown", "hight"),
        (("labels", "a"), "wrong", "1 is not accepted here"),
        (("spare",), "wrong", "5 is not a mapping of keys to values, such as {height: …}"),
        (("nmae",), "unknown", "nmae"),
    ]


def test_unknown_and_missing_keys_tell_whose_they_are() -> None:
    """So that advice can be given by the record."""
    with pytest.raises(Unfit) as refusal:
        Shelf.read({"name": "a", "boxes": [{"hight": 2}]})
    assert refusal.value.findings == (
        Finding(("boxes", 0, "height"), "missing", "height", Box),
        Finding(("boxes", 0, "hight"), "unknown", "hight", Box),
    )
    assert str(refusal.value).startswith("boxes.0.height: height")


def test_values_have_to_go_together() -> None:
    """That is looked at when each is right by itself."""
    assert found({"name": "a", "boxes": [2] * 4}) == [((), "wrong", "more than three boxes")]
    assert found({"name": "a", "boxes": [2, 2, 2, 3]}) == [
        (("boxes", 3, "height"), "wrong", "3 is odd")
    ]


@pytest.mark.parametrize("value", [True, 1.5, "1", None, [], {}])
def test_a_type_is_the_type_itself(value: object) -> None:
    """Nothing is converted: true is no number, and a text of digits is none either."""
    assert found(value, int)[0][:2] == ((), "wrong")


def test_literals_are_told_by_type() -> None:
    """For Python, 0 is False and 1 is True."""
    assert read_as(Literal["off", False], False) is False
    assert found(0, Literal["off", False])[0][1] == "wrong"


def test_names_of_a_mapping_are_texts() -> None:
    """YAML has other keys."""
    assert found({"name": "a", "labels": {1: "a"}}) == [
        (("labels", 1), "wrong", "1 is not accepted here")
    ]


def test_a_text_keeps_its_variable_where_that_is_asked_for() -> None:
    """As in the form of a file that is written again."""
    assert Shelf.read({"name": "a", "size": "12"}).size == 12
    assert Shelf.read({"name": "a", "size": "${N}"}, keep=True).size == "${N}"
    assert found({"name": "a", "size": "${N}"}) == [(("size",), "wrong", "not digits")]


def test_a_key_that_is_not_of_the_file() -> None:
    """Code gives it; in the file it is unknown, and it is not written."""
    assert found({"name": "a", "place": "b"}) == [(("place",), "unknown", "place")]
    shelf = Shelf(name="a").replaced(place="b")
    assert shelf.place == "b"
    assert written(shelf) == {"name": "a"}


def test_records_are_frozen() -> None:
    """A change makes another one."""
    box = Box(height=2)
    for change in (lambda: setattr(box, "height", 3), lambda: delattr(box, "height")):
        with pytest.raises(AttributeError, match=r"Box.height cannot be changed"):
            change()
    other = box.replaced(width=9)
    assert (box.width, other.width, other.given) == (2, 9, {"height", "width"})


def test_what_code_makes_has_its_keys() -> None:
    """A typing error there is no fault of the file."""
    with pytest.raises(TypeError, match="Box lacks height"):
        Box()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="Box has no hight"):
        Box(height=2, hight=3)  # type: ignore[call-arg]


def test_defaults_that_can_change_are_each_record_s_own() -> None:
    """Else one service's environment would be another's."""
    first, second = Shelf(name="a"), Shelf(name="b")
    first.labels["x"] = "1"
    assert second.labels == {}


def test_equality_is_of_values() -> None:
    """Whether a default was written down does not count."""
    assert Box(height=2) == Box.read({"height": 2, "width": 2})
    assert hash(Box(height=2)) == hash(Box.read({"height": 2, "width": 2}))
    assert Box(height=2) != Box(height=4)
    assert repr(Box(height=2, colour="blue")) == "Box(height=2, colour='blue')"


def test_a_type_of_no_file_is_refused_when_it_is_asked_for() -> None:
    """Rather than read in some way."""
    with pytest.raises(TypeError, match="no type of a value in a file"):
        read_as(set[int], {1})


BOXES = st.builds(
    lambda height, rest: {"height": 2 * height, **rest},
    st.integers(-9, 9),
    st.fixed_dictionaries(
        {}, optional={"width": st.integers(), "colour": st.sampled_from(["red", "blue"])}
    ),
)
SHELVES = st.fixed_dictionaries(
    {"name": st.text()},
    optional={
        "boxes": st.lists(BOXES, max_size=3),
        "labels": st.dictionaries(st.text(), st.none() | st.text()),
        "spare": BOXES,
        "x-any": st.dictionaries(st.text(), st.lists(st.integers())),
    },
)


@given(SHELVES)
def test_what_is_read_is_written_and_copied(value: dict[str, Any]) -> None:
    """As it stood there, but for how a type writes its values."""
    shelf = Shelf.read(value)
    for twin in (copy.deepcopy(shelf), pickle.loads(pickle.dumps(shelf)), copy.copy(shelf)):
        assert twin == shelf
        assert twin.given == shelf.given
    shown = written(shelf)
    for box in [*shown.get("boxes", []), *([shown["spare"]] if "spare" in shown else [])]:
        box["height"] = int(box["height"].removesuffix(" pieces"))
    assert shown == value


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.one_of(
    st.lists(inner, max_size=3),
    st.dictionaries(st.sampled_from(["name", "boxes", "height", "spare", "x-any"]), inner),
)))  # fmt: skip
def test_any_value_is_read_or_explained(value: Any) -> None:
    """With a path that leads to it."""
    try:
        assert isinstance(Shelf.read(value), Shelf)
    except Unfit as refusal:
        for finding in refusal.findings:
            inner = value
            # a bare number stands for a box of that height
            for step in finding.at[: -1 if finding.kind == "missing" else None]:
                inner = inner[step] if not (isinstance(inner, int) and step == "height") else inner
            assert finding.message
