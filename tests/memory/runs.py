"""Runs plans on a world: by the real executor in virtual time, or step by step up to a kill."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from memory.engine import MemoryEngine
from memory.faults import Killed
from msctl.engines.base import Engine
from msctl.errors import MsctlError, StepFailed
from msctl.execute import execute
from msctl.plan import Node, Outcome, Plan, Wait
from msctl.request import Request, Up


@dataclass
class Recorder:
    """A reporter that keeps what it is told, one line each."""

    lines: list[str] = field(default_factory=list)

    def started(self, node: Node) -> None:
        self.lines.append(f"started {node.step.verb} {node.step.target}")

    def told(self, node: Node, text: str) -> None:
        self.lines.append(f"told {node.step.verb} {node.step.target}: {text}")

    def done(self, node: Node, seconds: float) -> None:  # noqa: ARG002 - the protocol's
        self.lines.append(f"done {node.step.verb} {node.step.target}")

    def failed(self, node: Node, error: MsctlError) -> None:
        self.lines.append(f"failed {node.step.verb} {node.step.target}: {error}")


def finish(engine: MemoryEngine, request: Request | None = None) -> list[Plan]:
    """Run a request's plans by the real executor.

    Raises:
        MsctlError: the first step that failed, once all plans have been run.
    """
    done: list[Plan] = []
    failure: MsctlError | None = None
    for plan, outcome in each_run(engine, request or Up(), engine.world.clock):
        done.append(plan)
        failure = failure or next(iter(outcome.failures.values()), None)
    if failure is not None:
        raise failure
    return done


def each_run(
    engine: Engine, request: Request, clock: Callable[[], float]
) -> Iterator[tuple[Plan, Outcome]]:
    """Each plan of a request with what became of it; the next one is made from that."""
    plans, outcome = engine.plans(request), None
    while True:
        try:
            plan = plans.send(outcome)
        except StopIteration:
            return
        outcome = execute(plan, engine, Recorder(), clock=clock)
        yield plan, outcome


def run(engine: MemoryEngine, plan: Plan) -> Outcome:
    return execute(plan, engine, Recorder(), clock=engine.world.clock)


def up(engine: MemoryEngine, *, pull: bool = False, reset_scale: bool = False) -> str:
    """Run `up` to its end; the last plan, as it prints."""
    return str(finish(engine, Up(pull=pull, reset_scale=reset_scale))[-1])


def read_through(engine: MemoryEngine, request: Request | None = None) -> Plan:
    """The last plan of a request, with the images provided as if by hand; nothing else is done."""
    plans = []
    for plan in engine.plans(request or Up()):
        plans.append(plan)
        if any(node.step.verb == "provide image" for node in plan):
            run(engine, plan)
    return plans[-1]


def run_prefix(
    engine: MemoryEngine,
    request: Request,
    *,
    stop_after: int,
    choose: Callable[[list[Node]], Node] = lambda ready: ready[0],
) -> bool:
    """Run a request's steps one by one, and stop dead after some; whether it came to its end.

    `choose` picks one of the steps that may be done next. The plans' iterator is dropped on the
    way, as by a kill.
    """
    left = stop_after
    for plan in engine.plans(request):
        for node in _in_order(plan, choose):
            if left == 0:
                return False
            left -= 1
            try:
                _do(engine, node)
            except Killed:
                return False
    return True


def _in_order(plan: Plan, choose: Callable[[list[Node]], Node]) -> Iterable[Node]:
    done: set[int] = set()
    todo = list(plan)
    while todo:
        node = choose([node for node in todo if node.after <= done])
        todo.remove(node)
        yield node
        done.add(node.id)


def _do(engine: MemoryEngine, node: Node) -> None:
    step = node.step
    if not isinstance(step, Wait):
        engine.perform(step, lambda _: None)
        return
    with engine.watch(lambda: None) as watch:
        deadline = engine.world.now + step.timeout
        while not watch.reached(step):
            if engine.world.now >= deadline:
                raise StepFailed(f"{step.line()}: {watch.why_not(step)}")
