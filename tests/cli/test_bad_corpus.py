"""Every file of the table of wrong ones, through `msctl up`."""

from __future__ import annotations

import pytest
from corpus import bad_stacks
from terminal import Terminal
from test_bad_input import ARGUMENTS, FILES


def test_each_ends_with_status_2_and_leaves_the_engine_alone(shop: Terminal) -> None:
    """No traceback, nothing on standard output, nothing that paints a terminal."""
    before = shop.world.snapshot()
    for case in bad_stacks():
        shop.write(case.text, "bad.yaml")
        answer = shop.msctl("-f", "bad.yaml", "up")
        assert (answer.status, answer.out) == (2, ""), case.title
        assert answer.err.startswith("bad.yaml:"), case.title
        assert "Traceback" not in answer.err
        assert all(line.isprintable() for line in answer.lines), case.title
    assert shop.world.snapshot() == before


def test_there_are_enough() -> None:
    """Of files and command lines together."""
    assert len(bad_stacks()) + len(FILES) + len(ARGUMENTS) >= 200


@pytest.mark.parametrize("words", [["up", "\x1b[2J"], ["secret", "rotate", "a\nb\x07"]])
def test_what_was_typed_paints_no_terminal(shop: Terminal, words: list[str]) -> None:
    """It is quoted in neutral form."""
    answer = shop.msctl(*words)
    assert answer.status == 2
    assert not {"\x1b", "\x07"} & set(answer.err)
