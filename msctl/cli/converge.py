"""What every changing command does: lock, plan, then show the plan or run it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from msctl.cli.progress import By, reporter
from msctl.cli.session import Session
from msctl.config import LoadedStack
from msctl.engines.base import Engine
from msctl.errors import Interrupted, MsctlError, StepFailed
from msctl.execute import execute
from msctl.plan import Node, Outcome, Plan
from msctl.request import Plans, Request
from msctl.state import StackState
from msctl.views import Block, Cell
from msctl.words import plural

GOES_ON = "the next msctl command goes on from there"


@dataclass
class Run:
    """What a command did."""

    seconds: float = 0.0
    done: list[Node] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    changed: bool = False
    """Whether the stack was not yet as it was asked for; an image fetched in advance is no
    change."""
    state: StackState | None = None
    """The stack as it was found, where nothing had to be changed."""

    def record(self, session: Session, project: str, engine: str) -> dict[str, Any]:
        """What `--json` prints after a command that changed something."""
        return {
            "project": project,
            "engine": engine,
            "command": session.command,
            "changed": self.changed,
            "seconds": round(self.seconds, 3),
            "notes": self.notes,
            "steps": [_step(node) for node in self.done],
        }


def converge(
    session: Session, loaded: LoadedStack, engine: Engine, request: Request, by: By = By.SERVICE
) -> Run:
    """Fulfil a request, and show how it goes.

    Raises:
        StackLocked: another msctl works on the stack.
        MsctlError: steps failed; each has been told.
        Interrupted: Ctrl-C or SIGTERM.
    """
    ui, clock = session.ui, session.app.clock
    began, run = clock(), Run()
    turns = Following(engine.plans(request))  # the first is made, and all looked at, in the lock
    with session.locked(engine, loaded.stack.name):
        try:
            failure = None
            for plan, told in turns:
                for note in plan.notes:
                    ui.note(note)
                run.notes += plan.notes
                run.changed = bool(plan)
                if not plan:
                    continue
                with reporter(plan, ui, by, clock, loaded.stack.name) as shows:
                    outcome = told.outcome = execute(plan, engine, shows, clock=clock)
                run.done += [node for node in plan if node.id in outcome.done]
                if outcome.failures:
                    failure = failure or (plan, outcome)
            if failure is not None:
                raise _failed(session, engine, *failure)
            run.state = None if run.changed else turns.state
        except KeyboardInterrupt:
            raise Interrupted(f"interrupted; {GOES_ON}") from None
    run.seconds = clock() - began
    return run


def carry_out(
    session: Session,
    loaded: LoadedStack,
    engine: Engine,
    request: Request,
    by: By = By.SERVICE,
    *,
    dry_run: bool,
) -> Run | None:
    """Fulfil a request, or print what it would do; None where it is only printed.

    Raises:
        MsctlError: as `converge`.
    """
    if dry_run:
        show_plans(session, loaded.stack.name, engine, request)
        return None
    run = converge(session, loaded, engine, request, by)
    if session.options.json:
        session.ui.json(run.record(session, loaded.stack.name, engine.name))
    return run


@dataclass
class _Told:
    """What became of a plan; None while it has not been run."""

    outcome: Outcome | None = None


class Following:
    """The plans in turn; what became of each decides about the next."""

    def __init__(self, plans: Plans) -> None:
        self._plans = plans
        self.state: StackState | None = None
        """What the last plan was made from, where that is told."""

    def __iter__(self) -> Iterator[tuple[Plan, _Told]]:
        told = _Told()
        while True:
            try:
                plan = self._plans.send(told.outcome)
            except StopIteration as end:
                self.state = end.value
                return
            told = _Told()
            yield plan, told


def _failed(session: Session, engine: Engine, plan: Plan, outcome: Outcome) -> MsctlError:
    """Tell each failure and what is left running; the error that ends the command."""
    told = set()
    for number in sorted(outcome.failures):
        error = outcome.failures[number]
        log = error.log if isinstance(error, StepFailed) else ()
        if (error.message, log) not in told:
            told.add((error.message, log))
            session.ui.error(session.as_typed(error))
    failed, total = len(outcome.failures), len(plan.nodes)
    message = f"{failed} of {total} steps failed"
    if outcome.skipped:
        message += f", {len(outcome.skipped)} were not tried"
    left = ", ".join(_left_running(engine))
    message += f"\nleft running: {left or 'nothing'}"
    again = session.again("status")
    return MsctlError(message, hint=f"{again} shows how it is; {GOES_ON}")


def _left_running(engine: Engine) -> Iterator[str]:
    """The services that run, each with the number of replicas and how many are healthy."""
    running = [replica for replica in engine.observe().containers if replica.running]
    for service, found in groupby(sorted(running, key=lambda r: r.service), lambda r: r.service):
        replicas = list(found)
        healthy = sum(replica.healthy for replica in replicas)
        count = f"{len(replicas)}" if healthy == len(replicas) else f"{healthy} of {len(replicas)}"
        yield f"{service} ({count} healthy)"


def show_plans(session: Session, project: str, engine: Engine, request: Request) -> None:
    """Print what a request would do; needs no lock, changes nothing."""
    plans = list(engine.plans(request))
    notes = [note for plan in plans for note in plan.notes]
    nodes = list(_renumbered(plans))
    if session.options.json:
        record = {"project": project, "engine": engine.name, "notes": notes}
        steps = [{**_step(node), "after": sorted(node.after)} for node in nodes]
        session.ui.json({**record, "steps": steps})
        return
    for note in notes:
        session.ui.note(note)
    session.ui.show(list(_plan_lines(nodes)))
    session.ui.say(
        f"{plural(len(nodes), 'step')}; nothing was changed" if nodes else "nothing to do"
    )


def _renumbered(plans: Sequence[Plan]) -> Iterator[Node]:
    """The steps of several plans, counted through; a plan comes after the one before."""
    offset = 0
    for plan in plans:
        for node in plan:
            yield Node(node.id + offset, node.step, frozenset(n + offset for n in node.after))
        offset += len(plan.nodes)


def _plan_lines(nodes: Sequence[Node]) -> Iterator[Block]:
    width = len(str(len(nodes))) + 1
    for service, found in groupby(nodes, key=lambda node: node.step.service):
        yield [Cell(service or "stack", "bold")]
        for node in found:
            head, comma, cause = node.step.line().partition(", ")
            if node.step.changes:  # which follow, one in a line
                comma = cause = ""
            after = "".join(f" #{number}" for number in sorted(node.after))
            number = f"#{node.id}"
            yield [
                Cell(f"  {number:>{width}} ", "cyan"),
                Cell(head),
                Cell(f"{comma}{cause}", "yellow"),
                Cell(f" after{after}" if after else "", "dim"),
            ]
            for change in node.step.changes:
                yield [Cell(f"      {change}", "dim")]


def _step(node: Node) -> dict[str, Any]:
    step = node.step
    return {
        "id": node.id,
        "verb": step.verb,
        "target": step.target,
        "service": step.service or None,
        "cause": step.cause or None,
        **({"changes": list(step.changes)} if step.changes else {}),
    }
