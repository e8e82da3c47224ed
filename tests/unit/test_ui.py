"""What is shown on a terminal and off it."""

from __future__ import annotations

import io
import json
import os

import pytest
from drawing import ESCAPE, on_terminal, real_terminal

from msctl.errors import Interrupted, MsctlError, StackFileError, StepFailed
from msctl.ui import Ui
from msctl.ui.line import Line
from msctl.ui.terminal import Terminal
from msctl.views import Cell, Progress, Table, neutral

# Texts from elsewhere


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;new title\x07text", "text"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPdevice\x1b\\text", "text"),
        ("\x9b2Jcleared", "cleared"),
        ("bell\x07 and \x00", "bell\ufffd and \ufffd"),
        ("progress\rbar", "progressbar"),
        ("tab\tstays\r\nlines", "tab\tstays\nlines"),
        ("\u202egnp.exe", "\ufffdgnp.exe"),
        ("lone \ud800", "lone \ufffd"),
        ("\x1b", ""),
        ("ñandú → ✓", "ñandú → ✓"),
    ],
    ids=repr,
)
def test_terminal_escapes_are_taken_out(text: str, shown: str) -> None:
    """What a container writes cannot move the cursor, set a title or hide what it is."""
    assert neutral(text) == shown


def test_nothing_that_is_shown_reaches_the_terminal_as_it_came(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Messages, errors, logs, tables, lines: each goes through `neutral`, and no markup counts."""
    evil = f"{ESCAPE}[2J[red]evil"
    ui = Ui()
    ui.say(evil)
    ui.note(evil)
    ui.error(StepFailed(evil, hint=evil, log=[evil]))
    ui.error(StackFileError([evil]))
    ui.show([[Cell(evil)], Table(("A",), [[Cell(evil)]])])
    ui.prefixed(evil, 4, evil, at_once=True)
    ui.finished(Progress(evil, "done", text=evil))
    out, err = capsys.readouterr()
    assert ESCAPE not in out + err
    assert (out + err).count("[red]evil") == 12


# Streams, colours, quiet


def test_messages_go_to_stderr_and_data_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    """So that a pipe gets data and nothing else."""
    ui = Ui()
    ui.say("a message")
    ui.show([[Cell("data")]])
    ui.json({"a": "→"})
    out, err = capsys.readouterr()
    assert err == "a message\n"
    assert out.startswith("data\n")
    assert json.loads(out.removeprefix("data\n")) == {"a": "→"}
    assert out.isascii()


def test_quiet_keeps_data_and_errors(capsys: pytest.CaptureFixture[str]) -> None:
    """-q silences messages only."""
    ui = Ui(quiet=True)
    ui.say("a message")
    ui.note("a remark")
    ui.finished(Progress("web", "done"))
    ui.show([[Cell("data")]])
    ui.error(MsctlError("wrong"))
    assert capsys.readouterr() == ("data\n", "error: wrong\n")


def test_colours_are_for_terminals_that_want_them() -> None:
    """On a terminal with colours; on one without, no style at all."""
    colored, plain = Ui(), Ui(color=False)
    first, second = on_terminal(colored), on_terminal(plain)
    for ui in (colored, plain):
        ui.show([[Cell("healthy", "bold green")]])
        ui.error(MsctlError("wrong", hint="msctl up"))
    assert ESCAPE not in second.getvalue()
    if os.environ.get("NO_COLOR") is None and colored.out.console.color_system:
        assert ESCAPE in first.getvalue()


def test_an_error_says_what_and_what_to_type(capsys: pytest.CaptureFixture[str]) -> None:
    """One message; the container's last lines are indented, then comes the hint."""
    Ui().error(StepFailed("web-1 ended\nit was kept", hint="msctl logs web", log=["boom", ""]))
    assert capsys.readouterr().err == (
        "error: web-1 ended\n  it was kept\n    boom\nhint: msctl logs web\n"
    )


def test_the_problems_of_a_file_start_with_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    """So that editors and `grep` find line and file."""
    Ui().error(StackFileError(["stack.yaml:3: one", "stack.yaml:7: two"]))
    assert capsys.readouterr().err == "stack.yaml:3: one\nstack.yaml:7: two\n"


def test_an_interruption_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    """It was asked for."""
    Ui().error(Interrupted("interrupted; the next msctl command goes on from there"))
    assert capsys.readouterr().err == "interrupted; the next msctl command goes on from there\n"


def test_long_messages_are_not_broken_off_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """One message stays one line for `grep`."""
    Ui().say("word " * 60)
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_data_is_utf8_whatever_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rendered file is the same under every locale."""
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="ascii", errors="replace"))
    Ui().write("# ñandú\n")
    assert raw.getvalue() == "# ñandú\n".encode()


def test_a_replica_keeps_its_colour() -> None:
    """From line to line and from run to run."""

    def written() -> str:
        ui = Ui()
        terminal = on_terminal(ui)
        ui.prefixed("web-1", 6, "one", at_once=False)
        ui.prefixed("web-1", 6, "two", at_once=False)
        return terminal.getvalue()

    first, second = written().splitlines()
    assert first.replace("one", "") == second.replace("two", "")
    assert written() == written()


# Live views


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize(("share", "full"), [(0.0, 0), (0.5, 50), (1.0, 100), (7.0, 100)])
def test_a_bar_is_as_long_as_the_share(width: int, share: float, full: int) -> None:
    """The rest of it is there too, told apart without colours, and the line fits the terminal."""
    ui = Ui(color=False)
    terminal = on_terminal(ui, width)
    ui.finished(Progress("web", "running", 5, 10, "300/s", 1.5, share))
    [line] = terminal.getvalue().splitlines()
    plain = neutral(line)
    done, rest = plain.count("━"), plain.count("─")
    assert len(plain.rstrip()) <= width
    assert "300/s" in plain
    if width == 40:  # no room for it beside the figures
        assert done + rest == 0
    else:
        assert 8 <= done + rest <= 28
        assert done / (done + rest) == pytest.approx(full / 100, abs=0.05)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_lines_of_the_live_view_fit_the_terminal(width: int) -> None:
    """Whatever is told: one line each."""
    ui = Ui(color=False)
    terminal = on_terminal(ui, width)
    for state in ("waiting", "running", "done", "failed"):
        ui.finished(Progress("a-service-with-a-long-name" * 2, state, 12, 200, "text " * 60, 61.5))
    assert all(len(line) <= width for line in terminal.getvalue().splitlines())


def test_a_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot be redrawn."""
    with real_terminal(monkeypatch):
        monkeypatch.setenv("TERM", "dumb")
        assert not Ui().live


def test_a_screen_gives_the_terminal_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ends it: what was there before is there again, and so is the cursor."""
    with real_terminal(monkeypatch, "stdout") as written:
        ui = Ui()
        assert ui.height is not None

        def watch() -> None:
            with ui.screen() as draw:
                draw([[Cell("how it is")]])
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            watch()
        text = written()
    enter, leave, cursor = "\x1b[?1049h", "\x1b[?1049l", "\x1b[?25h"
    assert text.index(enter) < text.index("how it is") < text.index(leave)
    assert cursor in text[text.index("how it is") :]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a full disk to offer")
def test_messages_that_a_full_disk_does_not_take_stop_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The work that they tell of goes on."""
    with io.TextIOWrapper(io.FileIO("/dev/full", "w"), write_through=True) as full:
        monkeypatch.setattr("sys.stderr", full)
        ui = Ui()
        ui.say("one")
        ui.note("two")
        ui.error(MsctlError("three", hint="four"))
        Terminal(stderr=True, color=True).print(Line([("five", "")]))
