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
        self.freed: dict[object, list[int]] = {}
        """What frees a host port that a service which left the file holds."""

    def plan(self) -> Plan:
        for name, why in self.desired.left_out.items():
            self.blocks.draft.note(f"{name} is left out: {why}")
        if not self.request.services:
            self._what_left_the_file()
        for name in self._in_order():
            self._service(name)
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
            behind=[
                *(step for need in self.desired.needs(name) for step in self.ends.get(need, ())),
                *(step for port in revision.host_ports() for step in self.freed.get(port, ())),
            ],
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
        # What does not run serves nobody: its place is filled at once.
        serving = [replica for replica in service.old if replica.running]
        for replica in service.old:
            if not replica.running:
                self.blocks.remove(replica, service.causes[replica.id])
        clash = self._clashes(service, serving)
        kept, ready = self._keep(service, listed=not clash)
        surplus = len(kept) + len(serving) - service.wanted
        names = [replica.name for replica in kept]
        for _ in range(-surplus):
            name, _ = self._new(service, self._why_new(service), service.behind, listed=not clash)
            names.append(name)
        # Old ones that an earlier update left over go when those that stay are ready.
        leaving, serving = serving[: max(0, surplus)], serving[max(0, surplus) :]
        previous = self._give_up(service, leaving, ready) or ready
        surge = self._surge(service)
        while serving:
            leaving, serving = serving[:surge], serving[surge:]
            behind, ready = [*service.behind, *previous], []
            for replica in leaving:
                cause = service.causes[replica.id]
                name, last = self._new(service, cause, behind, listed=not clash)
                names.append(name)
                ready.append(last)
            previous = self._give_up(service, leaving, ready)
        service.ends += previous
        if clash:
            self._list_all(service, names, previous)

    def _list_all(self, service: _Service, names: list[str], old_gone: list[int]) -> None:
        """Wait until the gateway lists the new replicas, once the last old one is gone."""
        for name in names:
            self.blocks.routed(name, service.revision, [*service.ends, *old_gone])

    def _give_up(self, service: _Service, old: list[Replica], after: list[int]) -> list[int]:
        return [self.blocks.remove(r, service.causes[r.id], after) for r in old]

    def _clashes(self, service: _Service, old: list[Replica]) -> bool:
        """Whether the gateway drops the service while old and new are there: it does where their
        labels disagree, so that no new one is listed before the last old one is gone."""
        if service.revision.gateway_server() is None:
            return False
        wanted = service.revision.gateway_labels()
        return any(replica.routing != wanted for replica in old)

    def _replace_stop_first(self, service: _Service) -> None:
        """One after the other: the old replica goes, then the new one comes."""
        clash = self._clashes(service, service.old)
        kept, ready = self._keep(service, listed=not clash)
        names = [replica.name for replica in kept]
        missing = service.wanted - len(kept)
        previous = [*service.behind, *ready]
        for replica in service.old:
            previous = [self.blocks.remove(replica, service.causes[replica.id], previous)]
            if missing > 0:
                missing -= 1
                number = replica.number if self.desired.single(service.name) else None
                cause = service.causes[replica.id]
                name, last = self._new(service, cause, previous, number=number, listed=not clash)
                names.append(name)
                previous = [last]
        for _ in range(missing):
            name, _ = self._new(service, self._why_new(service), previous, listed=not clash)
            names.append(name)
        if clash:
            self._list_all(service, names, previous)

    def _keep(self, service: _Service, *, listed: bool = True) -> tuple[list[Replica], list[int]]:
        """The current replicas that stay: started where they do not run, waited for where they
        are not well (and not `listed` by the gateway). What is more than wanted goes."""
        spare = len(service.current) - service.wanted
        ordered = worst_first(service.current, frozenset())
        for replica in ordered[: max(0, spare)]:
            service.ends.append(self.blocks.remove(replica, f"{service.wanted} are wanted"))
        kept = ordered[max(0, spare) :]
        ready = [step for replica in kept for step in self._wake(service, replica, listed)]
        return kept, ready

    def _wake(self, service: _Service, replica: Replica, listed: bool) -> list[int]:
        name, after = replica.name, list(service.behind)
        if not replica.running:
            cause = f"it is {replica.state}"
            after = [self.blocks.start(name, service.name, cause, after)]
        elif replica.healthy:
            if not listed or self._listed(replica, service.revision):
                return []
            step = self.blocks.routed(name, service.revision, after)
            return [step] if step else []
        ready = self.blocks.ready(name, service.revision, after, listed=listed)
        service.ends.append(ready.healthy)
        return [ready.last]

    def _listed(self, replica: Replica, revision: Revision) -> bool:
        server, gateway = revision.gateway_server(), self.state.gateway
        if server is None or gateway is None:
            return True
        if self.blocks.gateway_ready:
            return False  # it starts with an empty list
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
        listed: bool = True,
    ) -> tuple[str, int]:
        """Create, start and await one replica; its name and the step that ends it."""
        number = number or self.blocks.next_number(service.name)
        # Where a container has to go first, its name may be the new one's.
        blockers = [s for s in after if s not in service.behind]
        name, created = self.blocks.create(service.revision, number, service.files, cause, blockers)
        started = self.blocks.start(name, service.name, cause, [created, *after])
        ready = self.blocks.ready(name, service.revision, [started], cause, listed=listed)
        service.ends.append(ready.healthy)
        return name, ready.last

    def _why_new(self, service: _Service) -> str:
        found = len(service.current) + sum(replica.running for replica in service.old)
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
                gone = self.blocks.remove(replica, self._why_gone(replica.service))
                if replica.revision is not None:
                    old = Revision.from_json(replica.service, replica.revision)
                    for port in old.host_ports():
                        self.freed.setdefault(port, []).append(gone)
        for service in {intent.service for intent in self.state.intents}:
            if service not in self.desired.names and service not in self.desired.left_out:
                self.blocks.forget_intent(service, "it left the file")

    def _why_gone(self, service: str) -> str:
        return "it is left out" if service in self.desired.left_out else "it left the file"
