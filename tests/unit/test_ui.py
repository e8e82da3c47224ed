"""What is shown on a terminal and off it."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest

from msctl.cli.progress import By, LiveReporter, PlainReporter, reporter
from msctl.cli.status_view import age, view
from msctl.errors import Interrupted, MsctlError, StackFileError, StepFailed
from msctl.plan import Draft, Plan, Step, Wait
from msctl.problem import Problem
from msctl.status import GatewayStatus, ReplicaStatus, ServiceStatus, Status
from msctl.ui import Ui
from msctl.views import Cell, Progress, Table, neutral

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ESCAPE = "\x1b"


class Start(Step):
    verb: ClassVar[str] = "start"


class AwaitHealthy(Wait):
    verb: ClassVar[str] = "await healthy"


class Terminal(io.StringIO):
    """A terminal of a given width that keeps what is written to it."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def on_terminal(ui: Ui, width: int = 80) -> Terminal:
    """Let both of the ui's streams be one terminal."""
    terminal = Terminal()
    for console in (ui.out, ui.err):
        console.file = terminal
        console._force_terminal = True
        console.width = width
        console.height = 24
    return terminal


def plan(replicas: int) -> Plan:
    draft = Draft()
    for number in range(1, replicas + 1):
        target = f"shop-web-{number}"
        started = draft.add(Start(target=target, service="web", cause=f"scale 1 → {replicas}"))
        draft.add(AwaitHealthy(target=target, service="web", timeout=60), [started])
    return draft.plan()


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
    if os.environ.get("NO_COLOR") is None and colored.out.color_system:
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


# Progress


def run(shows: Any, some: Plan, fail: frozenset[int] = frozenset()) -> None:
    """Take a plan's steps through a reporter, one after the other."""
    for node in some:
        shows.started(node)
        shows.told(node, f"{ESCAPE}[1mtells")
        if node.id in fail:
            shows.failed(node, MsctlError("no\nmore"))
        else:
            shows.done(node, 0.25)


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


def test_off_a_terminal_each_finished_step_is_one_plain_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Counted, with cause and seconds, without escapes."""
    some = plan(1)
    with reporter(some, Ui(), By.SERVICE, lambda: 0.0) as shows:
        assert isinstance(shows, PlainReporter)
        run(shows, some, fail=frozenset({2}))
    assert capsys.readouterr().err == (
        "[1/2] start shop-web-1, scale 1 → 1 (0.2 s)\n[2/2] failed: await healthy shop-web-1: no\n"
    )


def live(by: By, some: Plan, clock: Callable[[], float]) -> tuple[LiveReporter, Terminal]:
    ui = Ui(color=False)
    terminal = on_terminal(ui)
    return LiveReporter(some, ui, by, clock), terminal


def test_a_hundred_replicas_are_one_line_of_their_service() -> None:
    """The live view gathers by service, and tells what runs longest."""
    some = plan(100)
    shows, terminal = live(By.SERVICE, some, lambda: 5.0)
    for node in some.nodes[:6]:
        shows.started(node)
    (line,) = shows.lines()
    assert (line.label, line.state, line.done, line.total) == ("web", "running", 0, 200)
    assert line.text == "start shop-web-1 (and 5 more)"
    run(shows, some)
    assert shows.lines() == []
    assert "100 started, 100 healthy" in terminal.getvalue()


def test_scaling_is_shown_replica_by_replica() -> None:
    """A line each, which says what has become of it, once it is done."""
    some = plan(2)
    shows, terminal = live(By.TARGET, some, lambda: 5.0)
    run(shows, some)
    lines = terminal.getvalue().splitlines()
    assert [re.sub(r" +", " ", line) for line in lines] == [
        "✓ shop-web-1 started, healthy 0.0 s",
        "✓ shop-web-2 started, healthy 0.0 s",
    ]


def test_what_failed_and_what_was_not_tried_stays_visible() -> None:
    """After the end, too."""
    some = plan(2)
    shows, terminal = live(By.TARGET, some, lambda: 5.0)
    shows.started(some.nodes[0])
    shows.failed(some.nodes[0], MsctlError("no such image"))
    shows.end()
    assert "✗ shop-web-1" in terminal.getvalue()
    assert "no such image" in terminal.getvalue()
    assert [(line.label, line.text) for line in shows.lines()] == [
        ("shop-web-2", "was not finished")
    ]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_lines_of_the_live_view_fit_the_terminal(width: int) -> None:
    """Whatever is told: one line each."""
    ui = Ui(color=False)
    terminal = on_terminal(ui, width)
    for state in ("waiting", "running", "done", "failed"):
        ui.finished(Progress("a-service-with-a-long-name" * 2, state, 12, 200, "text " * 60, 61.5))
    assert all(len(line) <= width for line in terminal.getvalue().splitlines())


@contextmanager
def real_terminal(
    monkeypatch: pytest.MonkeyPatch, stream: str = "stderr"
) -> Iterator[Callable[[], str]]:
    """stderr or stdout is a pseudo terminal; what came out of it can be read at the end."""
    main, side = pty.openpty()
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)

    def written() -> str:
        text = b""
        while select.select([main], [], [], 0.1)[0]:
            text += os.read(main, 4096)
        return text.decode()

    with os.fdopen(side, "w", encoding="utf-8") as file:
        monkeypatch.setattr(f"sys.{stream}", file)
        yield written
    os.close(main)


def test_the_terminal_is_restored_after_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cursor, which the live view hides, is shown again."""
    some = plan(1)
    with real_terminal(monkeypatch) as output:
        ui = Ui()
        assert ui.live
        shown = reporter(some, ui, By.SERVICE, lambda: 0.0)
        shown.__enter__().started(some.nodes[0])
        shown.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
        text = output()
    assert text.rindex(f"{ESCAPE}[?25h") > text.rindex(f"{ESCAPE}[?25l")


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


# Tables


def replica(number: int, **changes: Any) -> ReplicaStatus:
    found: dict[str, Any] = {
        "name": f"shop-userservice-{number}",
        "id": "0",
        "number": number,
        "image": "shop/userservice:latest",
        "state": "running",
        "health": "healthy",
        "last_check": None,
        "routed": True,
        "gateway_status": "UP",
        "address": f"10.0.0.{number}",
        "cpu_percent": None,
        "memory_bytes": None,
        "memory_limit_bytes": None,
        "oom_kills": 0,
        "restarts": 0,
        "started_at": "2026-03-01T11:56:30.123456789Z",
        "p95_ms": None,
    }
    return ReplicaStatus(**{**found, **changes})


def status(replicas: int, problems: tuple[Problem, ...] = (), **changes: Any) -> Status:
    service = ServiceStatus(
        name="userservice",
        kind="routed",
        desired=replicas,
        running=replicas,
        healthy=replicas,
        routed=replicas,
        image="registry.example.org:5000/shop/userservice:latest",
        rps=None,
        p50_ms=None,
        p95_ms=None,
        error_rate=None,
        replicas=tuple(replica(number, **changes) for number in range(1, replicas + 1)),
    )
    gateway = GatewayStatus("https://localhost", None, True, "traefik:v3.7", (), None)
    return Status("shop", "compose", True, gateway, None, (), problems, (service,))


def test_fifty_replicas_are_readable_at_eighty_columns() -> None:
    """A line each, none longer than the terminal, with the engine's, the check's and the
    gateway's word."""
    ui = Ui(color=False)
    terminal = on_terminal(ui)
    ui.show(view(status(50), now=NOW))
    lines = terminal.getvalue().splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert len(lines) == 54
    assert "50/50 run  50/50 healthy  50/50 UP" in lines[3]
    assert lines[-1].split()[:5] == ["userservice-50", "running", "healthy", "UP", "3m"]


def test_an_image_that_is_cut_keeps_its_tag() -> None:
    """Name and tag tell more than the registry."""
    ui = Ui(color=False)
    terminal = on_terminal(ui, 70)
    ui.show(view(status(1), now=NOW))
    assert "userservice:latest" in terminal.getvalue()
    assert "registry" not in terminal.getvalue()


def test_a_table_off_a_terminal_is_not_cut(capsys: pytest.CaptureFixture[str]) -> None:
    """`grep` gets the whole of every cell."""
    Ui().show(view(status(1), now=NOW))
    assert "registry.example.org:5000/shop/userservice:latest" in capsys.readouterr().out


def test_problems_alike_are_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Fifty sick replicas of a service are one line, and all stand-ins together are one."""
    sick = [
        Problem("error", "unhealthy", "web", f"web-{n}", f"web-{n} fails", "msctl logs web")
        for n in range(50)
    ]
    stand_ins = [
        Problem("info", "stand_in", name, None, "a stand-in", f"msctl up --pull {name}")
        for name in ("web", "db")
    ]
    Ui().show(view(status(1, (*sick, *stand_ins)), now=NOW))
    lines = capsys.readouterr().out.splitlines()
    assert lines[-4:] == [
        "error: web-0 fails (and 49 more like this)",
        "       msctl logs web",
        "info: stand-ins, built in place of the official images, run for web, db",
        "      msctl up --pull",
    ]


@pytest.mark.parametrize(
    ("started", "shown"),
    [
        ("2026-03-01T11:59:30Z", "30s"),
        ("2026-03-01T11:57:00.123456789Z", "2m"),
        ("2026-03-01T10:00:00+00:00", "2h"),
        ("2026-02-24T12:00:00.1Z", "4d"),
        ("2026-03-01T12:00:05Z", "0s"),
        ("nonsense", "-"),
        (None, "-"),
    ],
)
def test_the_age_of_a_replica_is_short(started: str | None, shown: str) -> None:
    """The largest unit only; a clock ahead of ours gives no negative age."""
    assert age(replica(1, started_at=started), NOW) == shown


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
        with ui.err:
            ui.err.print("five")
