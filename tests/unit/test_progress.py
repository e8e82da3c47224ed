"""What the live view says of steps that have ended, and how its lines stand."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from drawing import ESCAPE, Terminal, on_terminal, real_terminal

import msctl.engines
from msctl.cli.progress import _DONE, By, LiveReporter, PlainReporter, reporter
from msctl.engines.compose.steps import (
    AwaitUnpinned,
    CreateVolume,
    ProvideImage,
    RecordIntent,
    StartContainer,
)
from msctl.errors import MsctlError
from msctl.plan import Draft, Ending, Plan, Step, Wait
from msctl.ui import Ui


class Start(Step):
    verb: ClassVar[str] = "start"


class AwaitHealthy(Wait):
    verb: ClassVar[str] = "await healthy"


def plan(replicas: int) -> Plan:
    draft = Draft()
    for number in range(1, replicas + 1):
        target = f"shop-web-{number}"
        started = draft.add(Start(target=target, service="web", cause=f"scale 1 → {replicas}"))
        draft.add(AwaitHealthy(target=target, service="web", timeout=60), [started])
    return draft.plan()


def run(shows: Any, some: Plan, fail: frozenset[int] = frozenset()) -> None:
    """Take a plan's steps through a reporter, one after the other."""
    for node in some:
        shows.started(node)
        shows.told(node, f"{ESCAPE}[1mtells")
        if node.id in fail:
            shows.failed(node, MsctlError("no\nmore"))
        else:
            shows.done(node, 0.25)


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


def verbs(kind: type[Step] = Step) -> Iterator[str]:
    for one in kind.__subclasses__():
        if one.__module__.startswith("msctl.") and hasattr(one, "verb"):
            yield one.verb
        yield from verbs(one)


def shown(steps: list[Step], by: By, width: int = 80, **told: str) -> list[str]:
    """The lines of a plan whose steps ended one after the other."""
    draft, ui = Draft(), Ui(color=False)
    for step in steps:
        draft.add(step)
    terminal = on_terminal(ui, width)
    shows = LiveReporter(draft.plan(), ui, by, lambda: 0.0, "shop")
    for node in draft.nodes:
        shows.started(node)
        if text := told.get(node.step.service):
            shows.told(node, Ending(text))
        shows.done(node, 0.0)
    return terminal.getvalue().splitlines()


def test_each_step_has_words_for_what_it_has_brought_about() -> None:
    """Of every engine: `await steady done` is no English."""
    for module in pkgutil.walk_packages(msctl.engines.__path__, "msctl.engines."):
        importlib.import_module(module.name)
    assert set(verbs()) == set(_DONE)


@pytest.mark.parametrize(("number", "words"), [(1, "volume created"), (3, "3 volumes created")])
def test_what_there_are_several_of_is_in_the_plural(number: int, words: str) -> None:
    steps: list[Step] = [CreateVolume(target=f"v{i}", labels={}) for i in range(number)]
    [line] = shown(steps, By.SERVICE)
    assert f"  {words}  " in line


def test_what_cannot_be_counted_is_not() -> None:
    """A rollout holds traffic once for each replica."""
    held: list[Step] = [
        AwaitUnpinned(target="web", service="web", timeout=1.0, slot="a") for _ in range(2)
    ]
    [line] = shown(held, By.SERVICE)
    assert "  traffic released  " in line


def test_an_image_that_cannot_be_had_is_not_said_to_be_there() -> None:
    step = ProvideImage(target="mongo:7", service="mongo", optional=True)
    [line] = shown([step], By.SERVICE, mongo="image cannot be had")
    assert "there" not in line
    assert line.startswith("- mongo")
    assert "image cannot be had" in line


def test_replicas_are_told_apart_on_a_narrow_terminal() -> None:
    """By their numbers, whatever the length of their names."""
    name = "notificationservice"
    steps: list[Step] = [StartContainer(target=f"shop-{name}-{i}", service=name) for i in (9, 10)]
    wide = [line.split()[1] for line in shown(steps, By.TARGET)]
    assert wide == ["notificationservice-9", "notificationservice-10"]
    narrow = [line.split()[1] for line in shown(steps, By.TARGET, width=40)]
    assert [name.rpartition("-")[2] for name in narrow] == ["9", "10"]


def test_lines_are_aligned_by_their_longest_label() -> None:
    steps: list[Step] = [
        RecordIntent(target="a-service-name = 3", labels={}, volume="v"),
        StartContainer(target="shop-a-much-longer-name-1", service="a-much-longer-name"),
    ]
    first, second = shown(steps, By.TARGET)
    assert first.index("scale recorded") == second.index("started")
