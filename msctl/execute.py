"""Runs a plan; decides nothing.

Actions run in a few worker threads, each when all that it comes after is done. Waits cost no
thread: they are looked at whenever the engine reports a change, and when their deadline comes. A
failed step holds up only what comes after it; the rest of the plan goes on, and all failures are
reported together.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from graphlib import TopologicalSorter
from typing import Protocol

from msctl.errors import EngineUnreachable, Interrupted, MsctlError, StepFailed
from msctl.plan import Node, Outcome, Plan, Step, Wait

WORKERS = 4
"""More parallel calls do not make an engine faster (measured: 4, 8 and 16 are the same)."""


class Watch(Protocol):
    """The engine's reports while a plan runs."""

    def reached(self, wait: Wait) -> bool:
        """Whether a wait is over.

        Raises:
            StepFailed: it can never be over.
        """

    def progress(self, wait: Wait) -> str | None:
        """How far a wait is, as it was last seen; None where there is nothing to tell."""

    def why_not(self, wait: Wait) -> StepFailed:
        """What stood in the way of a wait whose deadline has passed."""


class Performer(Protocol):
    """What the executor needs of an engine."""

    def perform(self, step: Step, tell: Callable[[str], None]) -> None:
        """Do one action.

        What it tells is shown beside the step while it runs; `tell` raises `Interrupted` once the
        command is to end, so that a long action that tells its progress ends soon.
        """

    def watch(self, changed: Callable[[], None]) -> AbstractContextManager[Watch]:
        """Follow the engine's events; `changed` is called after each, from any thread."""


class Reporter(Protocol):
    """Shows how a plan goes."""

    def started(self, node: Node) -> None: ...
    def told(self, node: Node, text: str) -> None: ...
    def done(self, node: Node, seconds: float) -> None: ...
    def failed(self, node: Node, error: MsctlError) -> None: ...


@dataclass
class _Run:
    """A plan under way. Only the thread that called `execute` touches it."""

    performer: Performer
    reporter: Reporter
    clock: Callable[[], float]
    signals: queue.SimpleQueue[tuple[int, BaseException | None] | None]
    sorter: TopologicalSorter[int]
    nodes: dict[int, Node]
    began: dict[int, float] = field(default_factory=dict)
    waits: dict[int, Wait] = field(default_factory=dict)
    acting: set[int] = field(default_factory=set)
    done: set[int] = field(default_factory=set)
    failures: dict[int, MsctlError] = field(default_factory=dict)
    ending: bool = False

    def begin_what_is_ready(self, pool: ThreadPoolExecutor) -> None:
        for number in self.sorter.get_ready():
            node = self.nodes[number]
            self.began[number] = self.clock()
            self.reporter.started(node)
            if isinstance(node.step, Wait):
                self.waits[number] = node.step
            else:
                self.acting.add(number)
                future = pool.submit(self.performer.perform, node.step, partial(self._tell, node))
                future.add_done_callback(partial(self._report, number))

    def _tell(self, node: Node, text: str) -> None:
        if self.ending:
            raise Interrupted("interrupted")
        self.reporter.told(node, text)

    def _report(self, number: int, future: Future[None]) -> None:
        error = None if future.cancelled() else future.exception()
        self.signals.put((number, error))

    def settle_waits(self, watch: Watch) -> bool:
        """Look at every wait; whether one came to its end."""
        before = len(self.done)
        for number, step in sorted(self.waits.items()):
            try:
                if watch.reached(step):
                    self.finish(number, None)
                elif self.clock() >= self.began[number] + step.timeout:
                    self.finish(number, watch.why_not(step))
                elif (text := watch.progress(step)) is not None:
                    self.reporter.told(self.nodes[number], text)
            except StepFailed as error:
                self.finish(number, error)
        return len(self.done) > before

    def finish(self, number: int, error: BaseException | None) -> None:
        self.waits.pop(number, None)
        self.acting.discard(number)
        node = self.nodes[number]
        if error is None:
            self.done.add(number)
            self.sorter.done(number)
            self.reporter.done(node, self.clock() - self.began[number])
        elif isinstance(error, EngineUnreachable) or not isinstance(error, MsctlError):
            raise error
        else:
            self.failures[number] = error
            self.reporter.failed(node, error)

    def patience(self) -> float | None:
        """Seconds until something has to be looked at, even if nothing is reported."""
        now = self.clock()
        times = []
        for number, step in self.waits.items():
            times.append(max(0.0, self.began[number] + step.timeout - now))
            if step.poll is not None:
                times.append(step.poll)
        return min(times, default=None)

    def await_signal(self) -> None:
        """Sleep until a step ends, the engine reports a change, or a wait has to be looked at."""
        patience = self.patience()
        try:
            signal = self.signals.get(timeout=patience)
        except queue.Empty:
            return
        while True:
            if signal is not None:
                self.finish(*signal)
            try:
                signal = self.signals.get_nowait()
            except queue.Empty:
                return


def execute(
    plan: Plan,
    performer: Performer,
    reporter: Reporter,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Run a plan to its end.

    Raises:
        EngineUnreachable: the engine went away.
        KeyboardInterrupt: Ctrl-C; short actions in hand were finished first, long ones broken off.
    """
    nodes = {node.id: node for node in plan}
    sorter: TopologicalSorter[int] = TopologicalSorter(
        {node.id: sorted(node.after) for node in plan}
    )
    sorter.prepare()
    run = _Run(performer, reporter, clock, queue.SimpleQueue(), sorter, nodes)
    with (
        performer.watch(lambda: run.signals.put(None)) as watch,
        ThreadPoolExecutor(WORKERS, thread_name_prefix="msctl") as pool,
    ):
        try:
            while True:
                run.begin_what_is_ready(pool)
                if run.settle_waits(watch):
                    continue
                if not run.acting and not run.waits:
                    break
                run.await_signal()
        except BaseException:
            run.ending = True
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    finished = run.done | run.failures.keys()
    skipped = tuple(node for node in plan if node.id not in finished)
    return Outcome(frozenset(run.done), dict(run.failures), skipped)
