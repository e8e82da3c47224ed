"""The plan that converges a project to its stack file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

from msctl.engines.compose.desired import Desired
from msctl.engines.compose.planning.blocks import Blocks, Pattern
from msctl.engines.compose.planning.changing import (
    GATEWAY_GOES,
    Change,
    inherited,
    previous_of,
    replace_all,
)
from msctl.engines.compose.planning.compare import changed_secret, is_foreign, outdated, worst_first
from msctl.engines.compose.planning.down import release_images
from msctl.engines.compose.planning.pinning import (
    Pinning,
    refuse_without_gateway,
    servers_of,
)
from msctl.engines.compose.planning.portcheck import moves_of, ports_first
from msctl.engines.compose.planning.settings import change_settings, end_old_settings
from msctl.engines.compose.steps import EmptyProbe, RemoveContainer
from msctl.model import GATEWAY, Rollout
from msctl.plan import Plan
from msctl.render.pins import parse_gateway_name, parse_probe_name
from msctl.request import Up
from msctl.state import Replica, StackState


def plan_up(desired: Desired, state: StackState, request: Up) -> Plan:
    """Create, start, update and remove until the project is as the file says."""
    return _UpPlan(desired, state, request).plan()


@dataclass
class _Service:
    """One service on its way: what is kept, what has to go, and how many are wanted."""

    change: Change
    wanted: int
    kept: list[Replica]
    leaving: list[Replica]
    """Worst first: what differs from the file, and what is more than wanted."""
    causes: dict[str, str]
    """Why a replica leaves, by id."""
    waits: list[int]
    """What has to be done before a replica of it may start."""
    ends: list[int] = field(default_factory=list)
    """What has to be done before what needs it may start."""

    @property
    def name(self) -> str:
        return self.change.service


class _UpPlan:
    def __init__(self, desired: Desired, state: StackState, request: Up) -> None:
        self.desired, self.state, self.request = desired, state, request
        self.blocks = Blocks(desired, state, request.timeout)
        self.blocks.needed = frozenset(
            need for name in desired.names if name != GATEWAY for need in desired.needs(name)
        )
        self.ends: dict[str, list[int]] = {}
        self.retired: list[int] = []
        """What ends services that left the file."""
        self.freed: dict[object, list[int]] = {}
        """What frees a host port that a container which goes holds."""

    def plan(self) -> Plan:
        for name, why in self.desired.left_out.items():
            self.blocks.draft.note(f"{name} is left out: {why}")
        if not self.request.services:
            self._what_left_the_file()
            self.retired = [node.id for node in self.blocks.draft.nodes]
        for name in self._in_order():
            self._service(name)
            if name == GATEWAY:
                self.blocks.settings_ready = change_settings(self.blocks)
        if not self.request.services:
            end_old_settings(self.blocks)
            self.blocks.reach.leave_others()
        return self.blocks.draft.plan()

    def _in_order(self) -> list[str]:
        """The services to work on, each behind what it needs, and behind one whose host port it
        takes; the gateway, and what comes before it, first."""
        needs = {name: self.desired.needs(name) for name in self.desired.names}
        givers = ports_first(self.desired, moves_of(self.desired, self.state))
        behind = {name: {*needs[name], *givers.get(name, ())} for name in needs}
        order = list(TopologicalSorter(behind).static_order())
        before = _reached(behind, GATEWAY)
        order.sort(key=lambda name: name not in before)
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
            self.desired.revisions[name].is_routed for name in wanted
        ):
            wanted |= {GATEWAY, *(need for need in needs[GATEWAY] if not self._well(need))}
        return [name for name in order if name in wanted]

    def _well(self, name: str) -> bool:
        replicas = self.state.of(name)
        if self.desired.is_job(name):
            return any(replica.exit_code == 0 for replica in replicas)
        return bool(replicas) and all(replica.healthy for replica in replicas)

    # One service

    def _service(self, name: str) -> None:
        revision, files = self.desired.revisions[name], self.desired.files[name]
        update = not self.request.services or name in self.request.services
        causes: dict[str, str] = {}
        record = self.desired.service(name)
        stateful = record is not None and record.stateful
        for replica in self.state.of(name):
            cause = outdated(replica, revision, files, self.state)
            if not stateful:  # its data keep the old value, whatever the file says
                cause = cause or changed_secret(replica, revision, self.state)
            if cause and (update or replica.leaving):  # only the named services are updated
                causes[replica.id] = cause
        stale, pattern = frozenset(causes), self._pattern(name, causes)
        replicas = worst_first(self.state.of(name), stale)
        current = [replica for replica in replicas if replica.id not in causes]
        wanted = self._wanted(name)
        spare = current[: max(0, len(current) - wanted)]
        causes |= dict.fromkeys((replica.id for replica in spare), f"{wanted} are wanted")
        service = _Service(
            Change(self.blocks, pattern, drain=self.request.drain),
            wanted,
            kept=[replica for replica in replicas if replica.id not in causes],
            leaving=[replica for replica in replicas if replica.id in causes],
            causes=causes,
            waits=[
                *(step for need in self.desired.needs(name) for step in self._before(name, need)),
                *(step for port in revision.host_ports() for step in self.freed.get(port, ())),
            ],
        )
        if stale and name == GATEWAY:
            self.blocks.draft.note(GATEWAY_GOES)
            service.waits += self.retired  # drained by the gateway that knows them
        if stale:
            service.change.keep_previous_image()
        known = len(self.blocks.draft.nodes)
        if self.desired.is_job(name):
            self._job(service)
        else:
            self._replicas(service)
        gone = {replica.name: replica for replica in service.leaving}
        for node in self.blocks.draft.nodes[known:]:
            if isinstance(node.step, RemoveContainer) and node.step.target in gone:
                self._frees(gone[node.step.target], node.id)
        self.ends[name] = [*service.ends, *service.change.started]

    def _before(self, name: str, need: str) -> list[int]:
        """What has to be done before a service may start, since it needs another one."""
        ends = self.ends.get(need, [])
        if name != GATEWAY:
            return [self.blocks.serving.get(end, end) for end in ends]
        # It asks again until its proxy answers, which it does long before its first check.
        return [step for end in ends for step in self.blocks.draft.nodes[end - 1].after]

    def _pattern(self, name: str, causes: Mapping[str, str]) -> Pattern:
        replicas = self.state.of(name)
        old = [replica for replica in replicas if replica.id in causes]
        previous = previous_of(old) if old else inherited(replicas)
        return Pattern(self.desired.revisions[name], self.desired.files[name], previous=previous)

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
        kept = service.kept[0] if service.kept else None
        gone = [self.blocks.remove(r, service.causes[r.id]) for r in service.leaving]
        if kept is not None and kept.state == "exited" and kept.exit_code == 0:
            return
        if kept is not None and kept.running:
            service.ends = [self.blocks.completed(kept.name, service.name, ())]
            return
        gone += [self.blocks.remove(replica, "it did not succeed") for replica in service.kept]
        change = service.change
        name, created = self.blocks.create(change.pattern, 1, "it has not run", gone)
        started = self.blocks.start(name, service.name, "it has not run", [created, *service.waits])
        service.ends = [self.blocks.completed(name, service.name, [started])]

    def _replicas(self, service: _Service) -> None:
        change = service.change
        if self.request.drain and change.is_routed and (service.leaving or change.pins.holds):
            refuse_without_gateway(self.blocks)
        ready = [step for replica in service.kept for step in change.wake(replica, service.waits)]
        service.ends += ready
        replace_all(
            change,
            service.leaving,
            service.kept,
            service.wanted,
            service.causes,
            service.waits,
            ready,
        )

    # The rest of the project

    def _what_left_the_file(self) -> None:
        gone: dict[str, list[Replica]] = {}
        for replica in self.state.containers:
            if is_foreign(replica, self.desired):
                if self.request.remove_orphans:
                    self._frees(replica, self.blocks.remove(replica, "--remove-orphans"))
                else:
                    self.blocks.draft.note(
                        f"{replica.name} is in the project but neither made by msctl nor in the "
                        "file; it is kept (--remove-orphans removes it)"
                    )
            elif replica.service not in self.desired.names and not replica.oneoff:
                gone.setdefault(replica.service, []).append(replica)
        for service, replicas in gone.items():
            left = service in self.desired.left_out
            self._retire(service, replicas, "it is left out" if left else "it left the file")
        self._what_a_killed_msctl_left(set(gone))
        for service in {intent.service for intent in self.state.intents}:
            if service not in self.desired.names and service not in self.desired.left_out:
                self.blocks.forget_intent(service, "it left the file")

    def _what_a_killed_msctl_left(self, retired: set[str]) -> None:
        """Pins of services that nothing else in the plan will release, and probes."""
        gateway = self.state.gateway
        for name in gateway.servers if gateway else ():
            if (container := parse_probe_name(name)) is not None:
                why = "a killed msctl left it"
                self.blocks.draft.add(EmptyProbe(target=container, cause=why))
            elif (pin := parse_gateway_name(name)) is not None:
                service = pin[0]
                replaced = service in self.desired.names and not self.desired.is_job(service)
                if not replaced and service not in retired:
                    retired.add(service)
                    Pinning(self.blocks, service).release([], [])

    def _retire(self, service: str, replicas: list[Replica], why: str) -> None:
        """A service ends: no new requests, those inside end, then it goes."""
        pins = Pinning(self.blocks, service)
        behind: list[int] = []
        if servers_of(replicas) and service != GATEWAY:
            if self.request.drain and self.desired.has_gateway:
                refuse_without_gateway(self.blocks)
            behind = pins.move(replicas[0].routing, [], [], why)
            seconds = Rollout().drain.total_seconds() if self.request.drain else 0.0
            behind = pins.drain(seconds, behind, why)
        removed = [self.blocks.remove(replica, why, behind) for replica in replicas]
        pins.release([], removed)
        release_images(self.blocks, replicas, removed)
        for replica, step in zip(replicas, removed, strict=True):
            self._frees(replica, step)

    def _frees(self, replica: Replica, step: int) -> None:
        """A step after which a replica's ports of the host are free."""
        for _, port, protocol in replica.ports:
            self.freed.setdefault((str(port), protocol), []).append(step)


def _reached(graph: Mapping[str, Iterable[str]], start: str) -> set[str]:
    """A node, and all that it comes behind."""
    found: set[str] = set()
    todo = [start]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += graph.get(name, ())
    return found
