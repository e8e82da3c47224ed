"""How a running plan is shown: on a terminal a live view, elsewhere a line per finished step."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Literal

from msctl.errors import MsctlError
from msctl.execute import Reporter
from msctl.plan import Ending, Node, OutputLine, Plan, Wait
from msctl.ui import Ui
from msctl.views import Progress

_DONE = {
    "apply": "applied",
    "await answer of": "answers",
    "await check of": "checked",
    "await end of": "done",
    "await end of old settings of": "new settings in force alone",
    "await healthy": "healthy",
    "await pin of": "traffic held",
    "await removal of": "gone",
    "await rollout of": "rolled out",
    "await routed": "routed",
    "await servers of": "listed",
    "await settings of": "settings in force",
    "await steady": "steady",
    "await unpin of": "traffic released",
    "clear pins of": "pins cleared",
    "create network": "network{s} created",
    "create volume": "volume{s} created",
    "create": "created",
    "delete": "deleted",
    "drain": "drained",
    "end old settings of": "old settings ended",
    "end probe of": "probe{s} ended",
    "issue certificate of": "certificate issued",
    "join network": "network{s} joined",
    "keep image": "image before kept",
    "leave network": "network{s} left",
    "make a new value of secret": "new value made",
    "make password of": "password{s} made",
    "pin": "pin{s} written",
    "probe": "probed",
    "provide image": "image{s} there",
    "record scale of": "scale recorded",
    "release image": "image before released",
    "remove network": "network{s} removed",
    "remove volume": "volume{s} removed",
    "remove": "removed",
    "restart": "restarted",
    "rotate secret": "new value in force",
    "scale": "scaled",
    "start": "started",
    "stop": "stopped",
    "take back restart of": "restart taken back",
    "tell the new value to": "new value told",
    "unpin": "pin{s} emptied",
    "write secret": "secret{s} written",
    "write settings of": "settings written",
}
"""What a step has brought about, by its verb; `{s}` is there when there are several."""


class By(Enum):
    """What a line of the live view stands for."""

    SERVICE = "service"
    TARGET = "target"
    """One replica, or whatever else a step works on."""


@contextmanager
def reporter(
    plan: Plan, ui: Ui, by: By, clock: Callable[[], float], project: str = ""
) -> Iterator[Reporter]:
    """What tells how the plan goes, for as long as it runs. `project`: what the names of its
    replicas begin with, and which need not be said of each."""
    if not ui.live:
        yield PlainReporter(ui, len(plan.nodes))
        return
    live = LiveReporter(plan, ui, by, clock, project)
    with ui.progress(live.lines):
        try:
            yield live
        finally:
            live.end()


@dataclass
class PlainReporter:
    """One line per step that has ended, and the output of what steps run, as it comes."""

    ui: Ui
    total: int
    ended: int = 0

    def started(self, node: Node) -> None:
        """Nothing: a line tells how it ended."""

    def told(self, node: Node, text: str) -> None:
        """The rest of what a step tells is for a screen that can be redrawn."""
        if isinstance(text, OutputLine):
            self.ui.say(f"{node.step.target}: {text}")

    def done(self, node: Node, seconds: float) -> None:
        self.ended += 1
        self.ui.say(f"{self._count()} {node.step.line()} ({seconds:.1f} s)")

    def failed(self, node: Node, error: MsctlError) -> None:
        self.ended += 1
        self.ui.say(f"{self._count()} failed: {node.step.line()}: {_first_line(error)}", "red")

    def _count(self) -> str:
        return f"[{self.ended:{len(str(self.total))}}/{self.total}]"


@dataclass
class _Group:
    """The steps of one line."""

    label: str
    total: int = 0
    done: Counter[str] = field(default_factory=Counter)
    running: dict[int, Node] = field(default_factory=dict)
    told: dict[int, str] = field(default_factory=dict)
    began: dict[int, float] = field(default_factory=dict)
    first: float | None = None
    last: float | None = None
    left: bool = False
    """Whether a step of it has ended otherwise than its verb says."""
    failure: str | None = None
    shown: bool = False


class LiveReporter:
    """Keeps the lines of the live view. Steps tell from worker threads, the screen asks from its
    own; what has ended moves out of the view, above it."""

    def __init__(
        self, plan: Plan, ui: Ui, by: By, clock: Callable[[], float], project: str = ""
    ) -> None:
        self._ui, self._by, self._clock = ui, by, clock
        self._prefix = f"{project}-" if project else ""
        self._lock = threading.Lock()
        self._groups: dict[str, _Group] = {}
        self._over = False
        for node in plan:
            self._group(node).total += 1
        self._column = max((len(label) for label in self._groups), default=0)

    def _group(self, node: Node) -> _Group:
        step = node.step
        if self._by is By.SERVICE:
            label = step.service or "stack"
        else:
            label = step.target.removeprefix(self._prefix)
        return self._groups.setdefault(label, _Group(label))

    def started(self, node: Node) -> None:
        with self._lock:
            group, now = self._group(node), self._clock()
            group.running[node.id], group.began[node.id] = node, now
            group.first = now if group.first is None else group.first

    def told(self, node: Node, text: str) -> None:
        with self._lock:
            self._group(node).told[node.id] = text

    def done(self, node: Node, seconds: float) -> None:  # noqa: ARG002
        with self._lock:
            told = self._group(node).told.get(node.id)
            ending = told if isinstance(told, Ending) else None
            group = self._ended(node)
            group.left = group.left or ending is not None
            group.done[ending or _DONE.get(node.step.verb, f"{node.step.verb} done")] += 1
        self._move_out(group, at_end=False)

    def failed(self, node: Node, error: MsctlError) -> None:
        with self._lock:
            group = self._ended(node)
            group.failure = group.failure or f"{node.step.verb}: {_first_line(error)}"

    def _ended(self, node: Node) -> _Group:
        group = self._group(node)
        group.running.pop(node.id, None)
        group.told.pop(node.id, None)
        group.last = self._clock()
        return group

    def end(self) -> None:
        """Nothing runs any more, whatever the reason."""
        self._over = True
        for group in self._groups.values():
            self._move_out(group, at_end=True)

    def _move_out(self, group: _Group, *, at_end: bool) -> None:
        whole = group.done.total() == group.total
        if group.shown or not (whole or (at_end and group.failure)):
            return
        group.shown = True
        self._ui.finished(self._line(group))

    def lines(self) -> list[Progress]:
        """What runs first, then what waits."""
        with self._lock:
            lines = [self._line(group) for group in self._groups.values() if not group.shown]
        return sorted(lines, key=lambda line: ("failed", "running", "waiting").index(line.state))

    def _line(self, group: _Group) -> Progress:
        return replace(self._told(group), column=self._column)

    def _told(self, group: _Group) -> Progress:
        count, total = group.done.total(), group.total
        if group.failure:
            return Progress(group.label, "failed", text=group.failure, seconds=self._took(group))
        if count == total:
            text = ", ".join(_brought_about(words, n) for words, n in group.done.items())
            state: Literal["done", "left"] = "left" if group.left else "done"
            return Progress(group.label, state, text=text, seconds=self._took(group))
        if self._over:
            return Progress(group.label, "waiting", count, total, text="was not finished")
        if not group.running:
            if group.first is None:
                return Progress(group.label, "waiting", count, total)
            return Progress(group.label, "running", count, total, text="waits for what it needs")
        number = min(group.running, key=lambda n: group.began[n])
        text = self._doing(group, number)
        if len(group.running) > 1:
            text += f" (and {len(group.running) - 1} more)"
        seconds = self._clock() - (group.first or 0.0)
        return Progress(group.label, "running", count, total, text, seconds=seconds)

    def _doing(self, group: _Group, number: int) -> str:
        step = group.running[number].step
        subject = f" {step.target}" if self._by is By.SERVICE else ""
        if told := group.told.get(number):
            return f"{step.verb}{subject}: {told}"
        if isinstance(step, Wait):
            return f"{step.verb}{subject}, at most {step.timeout:g} s"
        return f"{step.verb}{subject}"

    def _took(self, group: _Group) -> float | None:
        if group.first is None or group.last is None:
            return None
        return group.last - group.first


_NOT_COUNTED = ("traffic", "settings", "pins cleared", "new value")
"""What such words begin with that are the same however often it was brought about."""


def _brought_about(words: str, times: int) -> str:
    if words.startswith(_NOT_COUNTED):
        return words
    return words.replace("{s}", "") if times == 1 else f"{times} {words.replace('{s}', 's')}"


def _first_line(error: MsctlError) -> str:
    return (error.message.splitlines() or [""])[0]
