"""Lines, as wide as a terminal shows them."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from msctl.ui.line import Line, beginning, cells
from msctl.ui.plain import Plain

PARTS = st.lists(
    st.tuples(st.text("ab \u3042\U0001f600é", max_size=8), st.sampled_from(["", "bold red"])),
    max_size=5,
)


@given(PARTS, st.integers(1, 30))
def test_a_line_is_cut_as_rich_cuts_it(parts: list[tuple[str, str]], width: int) -> None:
    """Letters that take two columns are never halved."""
    expected = Text.assemble(*parts)
    expected.truncate(width, overflow="ellipsis")
    assert Line(parts).cut(width).plain == expected.plain
    assert Line(parts).cut(width).width <= width


@given(PARTS, st.integers(0, 30))
def test_a_line_is_filled_and_trimmed(parts: list[tuple[str, str]], width: int) -> None:
    line = Line(parts)
    assert line.padded(width).width == max(width, line.width)
    assert line.padded(width).trimmed().plain == line.plain.rstrip()


@given(st.text("ab \u3042", max_size=9), st.integers(0, 9))
def test_a_beginning_has_the_width_asked_for(text: str, width: int) -> None:
    assert cells(beginning(text, width)) == width
    assert cells(text) == cell_len(text)


def test_a_screen_in_a_file_has_each_view_below_the_one_before(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Plain(stderr=False).screen() as draw:
        draw([Line([("one", "bold")])])
        draw([Line([("two", "")]), Line()])
    assert capsys.readouterr().out == "one\ntwo\n\n"


def test_data_that_finds_no_room_is_an_error_and_a_message_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("sys.stdout", Full())
    monkeypatch.setattr("sys.stderr", Full())
    Plain(stderr=True).print(Line([("a message", "")]))
    with pytest.raises(OSError, match="No space"):
        Plain(stderr=False).print(Line([("data", "")]))


def test_a_stream_that_was_closed_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", None)
    stream = Plain(stderr=True)
    stream.print(Line([("a message", "")]))
    assert stream.encoding == "utf-8"
