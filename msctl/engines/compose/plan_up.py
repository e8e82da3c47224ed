"""The plan that converges a project to its stack file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

from msctl.engines.base import Up
from msctl.engines.compose.blocks import Blocks
from msctl.engines.compose.compare import is_foreign, outdated, worst_first
from msctl.engines.compose.desired import Desired
from msctl.engines.compose.revision import Revision
from msctl.model import GATEWAY
from msctl.plan import Plan
from msctl.state import Replica, StackState


def plan_up(desired: Desired, state: StackState, request: Up) -> Plan:
    """Create, start, update and remove until the project is as the file says."""
    return _UpPlan(desired, state, request).plan()


@dataclass
class _Service:
    """One service on its way: what is kept, what has to go, and how many are wanted."""

    revision: Revision
    files: str
    wanted: int
    current: list[Replica]
    old: list[Replica]
    causes: dict[str, str]
    behind: list[int]
    """What has to be done before a replica of it may start."""
    ends: list[int] = field(default_factory=list)
    """What has to be done before what needs it may start."""

    @property
    def name(self) -> str:
        return self.revision.name


class _UpPlan:
    def __init__(self, desired: Desired, state: StackState, request: Up) -> None:
        self.desired, self.state, self.request = desired, state, request
        self.blocks = Blocks(desired, state, request.timeout)
        self.ends: dict[str, list[int]] = {}

    def plan(self) -> Plan:
        for name, why in self.desired.left_out.items():
            self.blocks.draft.note(f"{name} is left out: {why}")
        for name in self._in_order():
            self._service(name)
        if not self.request.services:
            self._what_left_the_file()
        return self.blocks.draft.plan()

    def _in_order(self) -> list[str]:
        """The services to work on, each behind what it needs; the gateway first."""
        needs = {name: self.desired.needs(name) for name in self.desired.names}
        order = list(TopologicalSorter(needs).static_order())
        order.sort(key=lambda name: name != GATEWAY)
        if not self.request.services:
            return order
        wanted: set[str] = set()
        todo = list(self.request.services)
        while todo:
            name = todo.pop()
            if name in wanted or name not in needs:
                continue
            wanted.add(name)
            todo += [need for need in needs[name] if not self._well(need)]
        if self.desired.has_gateway and any(
            self.desired.revisions[name].gateway_server() for name in wanted
        ):
            wanted.add(GATEWAY)
        return [name for name in order if name in wanted]

    def _well(self, name: str) -> bool:
        replicas = self.state.of(name)
        if self.desired.is_job(name):
            return any(replica.exit_code == 0 for replica in replicas)
        return bool(replicas) and all(replica.healthy for replica in replicas)

    # One service

    def _service(self, name: str) -> None:
        revision, files = self.desired.revisions[name], self.desired.files[name]
        causes: dict[str, str] = {}
        for replica in self.state.of(name):
            if cause := outdated(replica, revision, files, self.state):
                causes[replica.id] = cause
        if self.request.services and name not in self.request.services:
            causes = {}  # only the named services are updated
        replicas = self.state.of(name)
        service = _Service(
            revision,
            files,
            self._wanted(name),
            current=[replica for replica in replicas if replica.id not in causes],
            old=worst_first([r for r in replicas if r.id in causes], frozenset(causes)),
            causes=causes,
            behind=[step for need in self.desired.needs(name) for step in self.ends.get(need, ())],
        )
        if self.desired.is_job(name):
            self._job(service)
        elif self.desired.single(name) or self.desired.rollout(name).order == "stop-first":
            self._replace_stop_first(service)
        else:
            self._replace_start_first(service)
        self.ends[name] = service.ends

    def _wanted(self, name: str) -> int:
        """How many replicas: the intent, else on takeover what is there, else the file's."""
        service = self.desired.service(name)
        if service is None or self.desired.single(name):
            return 1
        bounds, intent = service.replicas, self.state.intent(name)
        if self.request.reset_scale:
            self.blocks.forget_intent(name, "--reset-scale")
            return bounds.initial
        replicas = self.state.of(name)
        if intent is None and replicas and not any(replica.ours for replica in replicas):
            found = min(max(len(replicas), bounds.min), bounds.max)
            if found != bounds.initial:
                self.blocks.record_intent(name, found, "taken over")
            return found
        if intent is None:
            return bounds.initial
        wanted = min(max(intent.replicas, bounds.min), bounds.max)
        if wanted != bounds.initial:
            self.blocks.draft.note(
                f"{name} keeps its scale of {wanted} ({intent.cause}); the file says "
                f"{bounds.initial}, --reset-scale returns to it"
            )
        return wanted

    def _job(self, service: _Service) -> None:
        done = [r for r in service.current if r.state == "exited" and r.exit_code == 0]
        running = [r for r in service.current if r.running]
        if done:
            return
        if running:
            service.ends.append(self.blocks.ready(running[0].name, service.revision, ()).healthy)
            return
        gone = [
            self.blocks.remove(r, service.causes.get(r.id, "it did not succeed"))
            for r in [*service.old, *service.current]
        ]
        self._new(service, "it has not run", [*service.behind, *gone], number=1)

    def _replace_start_first(self, service: _Service) -> None:
        """New replicas come in batches of `surge`; old ones go when their batch is ready."""
        kept = self._keep(service)
        missing = service.wanted - len(kept)
        behind = service.behind
        # What does not run serves nobody: its place is filled at once.
        serving = [replica for replica in service.old if replica.running]
        gone = [r for r in service.old if not r.running]
        for replica in gone:
            self.blocks.remove(replica, service.causes[replica.id])
        at_once = max(0, missing - len(serving))
        for _ in range(at_once):
            self._new(service, self._why_new(service), behind)
        todo, previous = missing - at_once, list[int]()
        surge = self._surge(service)
        while todo or serving:
            batch, leaving = min(surge, todo), serving[:surge] if todo else list(serving)
            todo, serving = todo - batch, serving[len(leaving) :]
            ready = [
                self._new(service, service.causes[leaving[0].id], [*behind, *previous])
                for _ in range(batch)
            ]
            previous = [
                self.blocks.remove(replica, service.causes[replica.id], ready or previous)
                for replica in leaving
            ]
        service.ends += previous

    def _replace_stop_first(self, service: _Service) -> None:
        """One after the other: the old replica goes, then the new one comes."""
        kept = self._keep(service)
        missing = service.wanted - len(kept)
        previous = list(service.behind)
        for replica in service.old:
            previous = [self.blocks.remove(replica, service.causes[replica.id], previous)]
            if missing > 0:
                missing -= 1
                number = replica.number if self.desired.single(service.name) else None
                cause = service.causes[replica.id]
                previous = [self._new(service, cause, previous, number=number)]
        for _ in range(missing):
            self._new(service, self._why_new(service), previous)

    def _keep(self, service: _Service) -> list[Replica]:
        """The current replicas that stay: started where they do not run, waited for where they
        are not well. What is more than wanted goes."""
        spare = len(service.current) - service.wanted
        ordered = worst_first(service.current, frozenset())
        for replica in ordered[: max(0, spare)]:
            service.ends.append(self.blocks.remove(replica, f"{service.wanted} are wanted"))
        kept = ordered[max(0, spare) :]
        for replica in kept:
            self._wake(service, replica)
        return kept

    def _wake(self, service: _Service, replica: Replica) -> None:
        name, after = replica.name, list(service.behind)
        if not replica.running:
            cause = f"it is {replica.state}"
            after = [self.blocks.start(name, service.name, cause, after)]
        elif replica.healthy:
            if not self._listed(replica, service.revision):
                self.blocks.routed(name, service.revision, after)
            return
        service.ends.append(self.blocks.ready(name, service.revision, after).healthy)

    def _listed(self, replica: Replica, revision: Revision) -> bool:
        server, gateway = revision.gateway_server(), self.state.gateway
        if server is None or gateway is None:
            return True
        network, port = server
        address = replica.addresses.get(network, "")
        return gateway.status_of(replica.service, address, port) == "UP"

    def _new(
        self,
        service: _Service,
        cause: str,
        after: Sequence[int],
        *,
        number: int | None = None,
    ) -> int:
        """Create, start and await one replica; the step that ends it."""
        number = number or self.blocks.next_number(service.name)
        # Where a container has to go first, its name may be the new one's.
        blockers = [s for s in after if s not in service.behind]
        name, created = self.blocks.create(service.revision, number, service.files, cause, blockers)
        started = self.blocks.start(name, service.name, cause, [created, *after])
        ready = self.blocks.ready(name, service.revision, [started], cause)
        service.ends.append(ready.healthy)
        return ready.last

    def _why_new(self, service: _Service) -> str:
        found = len(service.current) + len(service.old)
        return f"{service.wanted} wanted, {found} there" if found else "it is not there"

    def _surge(self, service: _Service) -> int:
        surge = self.desired.rollout(service.name).surge
        if isinstance(surge, int):
            return surge
        return max(1, math.ceil(service.wanted * int(surge.rstrip("%")) / 100))

    # The rest of the project

    def _what_left_the_file(self) -> None:
        for replica in self.state.containers:
            if is_foreign(replica, self.desired):
                if self.request.remove_orphans:
                    self.blocks.remove(replica, "--remove-orphans")
                else:
                    self.blocks.draft.note(
                        f"{replica.name} is in the project but neither made by msctl nor in the "
                        "file; it is kept (--remove-orphans removes it)"
                    )
            elif replica.service not in self.desired.names and not replica.oneoff:
                self.blocks.remove(replica, self._why_gone(replica.service))
        for service in {intent.service for intent in self.state.intents}:
            if service not in self.desired.names and service not in self.desired.left_out:
                self.blocks.forget_intent(service, "it left the file")

    def _why_gone(self, service: str) -> str:
        return "it is left out" if service in self.desired.left_out else "it left the file"
