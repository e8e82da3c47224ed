"""The rounds of `msctl autoscale`: observe, decide, act. What is remembered is in memory only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msctl.autoscale.decide import decide
from msctl.autoscale.observed import CAUSE, Look, is_unfinished, looked, samples_of
from msctl.autoscale.policy import Policy
from msctl.autoscale.records import Decision, History, Samples
from msctl.cli.converge import Following
from msctl.errors import EngineUnreachable, MsctlError, StackLocked, UsageProblem
from msctl.execute import execute
from msctl.files.bindfiles import file_digest
from msctl.model import AUTOSCALER
from msctl.plan import Node, Outcome, Plan
from msctl.request import Scale
from msctl.state import StackState, Traffic

if TYPE_CHECKING:
    from msctl.cli.loadsource import LoadSource
    from msctl.cli.session import Session
    from msctl.cli.troubles import Troubles
    from msctl.config import LoadedStack
    from msctl.engines.base import Engine


SCALING = "scaling"
"""The topic of what keeps a service from being scaled, before its name."""
_EDITED = (
    "has been edited: what it says now counts from the next `up`, and until then replicas are "
    "copies of those that run"
)


@dataclass(frozen=True)
class Verdict:
    """A decision about a service, and what became of it."""

    time: str
    """RFC 3339."""
    service: str
    policy: Policy
    current: int
    decision: Decision
    acted: bool = False
    cpu: Mapping[str, float | None] = field(default_factory=dict)
    """Percent of its base by replica, where CPU has a target."""

    @property
    def wanted(self) -> int:
        return self.decision.replicas

    @property
    def changes(self) -> bool:
        return self.wanted != self.current

    def record(self) -> dict[str, Any]:
        """What `--json` prints; a metric without a target is null."""
        found = {r.metric: {"value": r.value, "target": r.target} for r in self.decision.readings}
        return {
            "time": self.time,
            "service": self.service,
            "current": self.current,
            "wanted": self.wanted,
            "reason": self.decision.reason,
            "metrics": {name: found.get(name) for name in ("cpu", "rps", "latency_p95")},
            "acted": self.acted,
        }


@dataclass
class Autoscaler:
    """Scales services of one stack, round by round."""

    session: Session
    loaded: LoadedStack
    engine: Engine
    policies: Mapping[str, Policy]
    source: LoadSource
    troubles: Troubles
    dry_run: bool = False
    decided: Callable[[Sequence[Verdict]], None] = lambda _: None
    """Told the decisions of a round before they are carried out, which may take a while."""
    histories: dict[str, History] = field(default_factory=dict)
    looks: Mapping[str, Look] = field(default_factory=dict)
    """The last at each replica."""

    def __post_init__(self) -> None:
        self._read = _digest(self.loaded.path)

    def round(self, services: Sequence[str]) -> list[Verdict]:
        """Decide about these services, and carry it out; nothing while the engine is away."""
        try:
            state, samples = self._observe(services)
        except EngineUnreachable as error:
            self.troubles.note("engine", f"{error.message}; nothing is changed until it does")
            return []
        self.troubles.over("engine", "the engine answers again")
        self._tell_of_edits(state)
        now, time = self.session.app.clock(), self.session.app.now().isoformat(timespec="seconds")
        verdicts = []
        for name, found in samples.items():
            history = self.histories.get(name, History())
            decision = decide(self.policies[name], found, history, now)
            self.histories[name] = decision.history
            names = [replica.name for replica in state.of(name)]
            cpu = dict(zip(names, (one.cpu for one in found.replicas), strict=True))
            policy = self.policies[name]
            verdicts.append(Verdict(time, name, policy, found.current, decision, cpu=cpu))
        self.decided(verdicts)
        return verdicts if self.dry_run else self._carried_out(verdicts, state)

    def _observe(self, services: Sequence[str]) -> tuple[StackState, dict[str, Samples]]:
        """Raises:
        EngineUnreachable: the engine is away.
        """
        state, policies = self.engine.observe(), {name: self.policies[name] for name in services}
        measured = [name for name in services if policies[name].cpu is not None]
        own = tuple(c for c in state.containers if c.service in measured)
        usages = self.engine.usage(replace(state, containers=own)) if measured else {}
        before, now = self.looks, looked(self.looks, own, usages, self.session.app.clock())
        # Services have intervals of their own, so what was seen of the others is kept.
        alive = {c.id for c in state.containers}
        self.looks = {k: v for k, v in {**before, **now}.items() if k in alive}
        asking = [name for name in self.policies if self.policies[name].needs_traffic]
        due = any(policy.needs_traffic for policy in policies.values())
        traffic = self.source.traffic(asking, state.gateway) if due else {}
        return state, {
            name: samples_of(name, policy, state, before, now, traffic.get(name, Traffic()))
            for name, policy in policies.items()
        }

    def _tell_of_edits(self, state: StackState) -> None:
        """Since the last `up`, where that began an autoscaler, else since this one began."""
        deployed = [one.files for one in state.of(AUTOSCALER) if one.files]
        name, now = self.loaded.path.name, _digest(self.loaded.path)
        if now == (deployed[0] if deployed else self._read):
            self.troubles.over("file", f"{name} is as it was again")
        elif now is not None:  # an editor may be about to put it back
            self.troubles.note("file", f"{name} {_EDITED}")

    # Acting

    def _carried_out(self, verdicts: Sequence[Verdict], seen: StackState) -> list[Verdict]:
        """More first: it is urgent, and it does not need the gateway."""
        done: set[str] = set()
        left = self._finished(verdicts, seen)
        for up in (True, False):
            counts = {
                v.service: v.wanted for v in verdicts if v.changes and (v.wanted > v.current) is up
            }
            done |= self._scaled(counts, seen)
        now = self.session.app.clock()
        for verdict in verdicts:
            if not verdict.changes and verdict.service not in left:
                self.troubles.over(f"{SCALING} {verdict.service}")
            if verdict.service in done:
                history = self.histories[verdict.service]
                changed = history.changed(now, verdict.current, verdict.wanted)
                self.histories[verdict.service] = changed
        return [replace(verdict, acted=verdict.service in done) for verdict in verdicts]

    def _finished(self, verdicts: Sequence[Verdict], seen: StackState) -> set[str]:
        """Bring services to the number that was asked for, where whoever was at it was killed or
        lost the engine; those that are not yet."""
        counts = {
            v.service: v.current
            for v in verdicts
            if not v.changes and is_unfinished(v.service, seen)
        }
        try:
            done = self._scale(counts, seen, is_unfinished) if counts else set()
        except StackLocked:
            return set(counts)  # somebody is at it
        except MsctlError as error:
            self._refused(counts, f"{', '.join(counts)} could not be scaled: {error.message}")
            return set(counts)
        for name in done:
            self.troubles.say(f"{name}: {counts[name]} had been asked for, and now are there")
        return set()

    def _scaled(self, counts: Mapping[str, int], seen: StackState) -> set[str]:
        """The services that were scaled; where one is refused, each of them is tried alone."""
        if not counts:
            return set()
        names = ", ".join(counts)
        try:
            done = self._scale(counts, seen)
        except StackLocked as error:
            self.troubles.note("lock", f"{error.message}; it is tried again in the next round")
            return set()
        except UsageProblem as error:
            if len(counts) > 1:
                alone = [self._scaled({name: count}, seen) for name, count in counts.items()]
                return set().union(*alone)
            self._refused(counts, f"{names} is not scaled: {error.message}")
            return set()
        except MsctlError as error:
            self._refused(counts, f"{names} could not be scaled: {error.message}")
            return set()
        self.troubles.over("lock")
        for name in done:
            self.troubles.over(f"{SCALING} {name}")
        return done

    def _refused(self, services: Iterable[str], text: str) -> None:
        """Told once for all of them, until each has been scaled or needs it no more."""
        for name in services:
            self.troubles.note(f"{SCALING} {name}", text)
            text = ""

    def _scale(
        self,
        counts: Mapping[str, int],
        seen: StackState,
        still: Callable[[str, StackState], bool] = lambda *_: True,
    ) -> set[str]:
        """As `msctl scale` does; but whoever scaled since the look is not overruled.

        Raises:
            StackLocked: another msctl works on the stack.
            UsageProblem: it cannot be accepted; nothing was changed.
            MsctlError: steps failed, or the engine or the gateway is away.
        """
        with self.session.locked(self.engine, self.loaded.stack.name):
            now = self.engine.observe()
            same = [n for n in counts if now.intent(n) == seen.intent(n) and still(n, now)]
            counts = {name: counts[name] for name in same}
            if not counts:
                return set()
            failure: MsctlError | None = None
            for plan, told in Following(self.engine.plans(Scale(counts, cause=CAUSE))):
                clock = self.session.app.clock
                told.outcome = outcome = execute(plan, self.engine, _Silent(), clock=clock)
                failure = failure or _first_failure(plan, outcome)
        if failure is not None:
            raise failure
        return set(counts)


def _digest(file: Path) -> str | None:
    """None where it cannot be read, or not again."""
    try:
        return file_digest(file) if file.is_file() else None
    except OSError:
        return None


def _first_failure(plan: Plan, outcome: Outcome) -> MsctlError | None:
    if not outcome.failures:
        return None
    number = min(outcome.failures)
    step = next(node.step for node in plan if node.id == number)
    return MsctlError(f"{step.line()}: {outcome.failures[number].message}")


class _Silent:
    """A reporter for what is told by decisions, not by steps."""

    def started(self, node: Node) -> None: ...
    def told(self, node: Node, text: str) -> None: ...
    def done(self, node: Node, seconds: float) -> None: ...
    def failed(self, node: Node, error: MsctlError) -> None: ...
