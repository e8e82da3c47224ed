"""How blocks become lines of a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msctl.ui.layout import laid_out
from msctl.views import Block, Cell, Flow, Paragraph, Table


def lines(block: Block, width: int | None) -> list[str]:
    return [text.plain for text in laid_out(block, width)]


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (None, ["one 1  two 2  three 3"]),
        (80, ["one 1  two 2  three 3"]),
        (15, ["one 1  two 2", "three 3"]),
        (3, ["one 1", "two 2", "three 3"]),
    ],
)
def test_texts_stand_side_by_side_where_there_is_room(
    width: int | None, expected: list[str]
) -> None:
    assert (
        lines(Flow([[Cell("one "), Cell("1")], [Cell("two 2")], [Cell("three 3")]]), width)
        == expected
    )


def test_a_paragraph_is_broken_between_words_and_indented() -> None:
    paragraph = Paragraph([Cell("info: ")], Cell("some words that are too long for a line"))
    assert lines(paragraph, 24) == [
        "info: some words that",
        "      are too long for a",
        "      line",
    ]
    assert lines(paragraph, None) == ["info: some words that are too long for a line"]


def test_a_path_in_a_paragraph_is_not_broken() -> None:
    """It can be copied."""
    path = "/a/path-that/is-longer/than-the-line.pem"
    assert path in [line.strip() for line in lines(Paragraph([Cell("x ")], Cell(f"at {path}")), 20)]


@given(st.text(alphabet="ab -\n", max_size=80), st.integers(1, 60))
def test_no_word_of_a_paragraph_is_lost(text: str, width: int) -> None:
    found = lines(Paragraph([Cell("> ")], Cell(text)), width)
    assert " ".join(found).replace("> ", "", 1).split() == text.split()


def test_a_remark_between_the_rows_has_the_whole_line() -> None:
    """It is not cut as the column under which it begins."""
    rows = [[Cell("a-long-name"), Cell("running")], [Cell("and 9 more of them"), Cell()]]
    found = lines(Table(["SERVICE", "ENGINE"], rows, shrink=[0]), 18)
    assert found[1:] == ["a-long-n…  running", "and 9 more of them"]


def test_replicas_keep_their_numbers_and_their_place_in_a_narrow_table() -> None:
    """Of a name that has to be cut, the end is what tells it from its neighbours."""
    rows = [
        [Cell("notificationservice"), Cell("2/2")],
        [Cell("  notificationservice-1", tail=True), Cell("running")],
        [Cell("  notificationservice-2", tail=True), Cell("running")],
    ]
    found = lines(Table(["SERVICE", "ENGINE"], rows, shrink=[0]), 22)
    assert found[2:] == ["  …nservice-1  running", "  …nservice-2  running"]


def test_a_narrow_terminal_does_without_the_least_columns() -> None:
    """Where shrinking is not enough; what is left has the room, and no line is broken."""
    rows = [[Cell("userservice"), Cell("4/4 run"), Cell("2h"), Cell("userservice:latest")]]
    table = Table(["SERVICE", "ENGINE", "UP", "IMAGE"], rows, shrink=[3, 0], drop=["IMAGE", "UP"])
    assert lines(table, 40)[1] == "userservice  4/4 run  2h  userservice:l…"
    assert lines(table, 38)[0] == "SERVICE      ENGINE   UP"
    assert lines(table, 30) == ["SERVICE      ENGINE   UP", "userservice  4/4 run  2h"]
    assert lines(table, 20) == ["SERVICE      ENGINE", "userservice  4/4 run"]
    assert lines(table, 17) == ["SERVICE   ENGINE", "userser…  4/4 run"]
    assert lines(table, 12) == ["SERVICE   E…", "userser…  4…"]


@given(st.integers(1, 60), st.lists(st.text("abc", max_size=12), min_size=4, max_size=4))
def test_no_line_of_a_table_is_longer_than_the_terminal(width: int, words: list[str]) -> None:
    table = Table(["A", "B", "C", "D"], [[Cell(w) for w in words]], shrink=[0], drop=["C", "X"])
    assert all(len(line) <= width for line in lines(table, width))
