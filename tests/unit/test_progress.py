"""What the live view says of steps that have ended, and how its lines stand."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from test_ui import on_terminal

import msctl.engines
from msctl.cli.progress import _DONE, By, LiveReporter
from msctl.engines.compose.steps import (
    AwaitUnpinned,
    CreateVolume,
    ProvideImage,
    RecordIntent,
    StartContainer,
)
from msctl.plan import Draft, Ending, Step
from msctl.ui import Ui


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
