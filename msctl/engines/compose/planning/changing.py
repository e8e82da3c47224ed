"""How the replicas of one service come and go without losing a request."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from msctl.engines.compose.planning.admission import Admission
from msctl.engines.compose.planning.blocks import Blocks, Pattern
from msctl.engines.compose.planning.pinning import (
    Pinning,
    can_pin,
    server_of,
    servers_of,
    url_of,
)
from msctl.engines.compose.revision import Previous
from msctl.engines.compose.servers import Server
from msctl.engines.compose.steps import KeepImage, previous_tag
from msctl.render.traefik.pins import same_health_check, same_routing
from msctl.state import Replica

GATEWAY_GOES = "the gateway is replaced: for some seconds no request is answered"


class Change:
    """One service in a plan: its pins, who is admitted, and what new replicas are made from."""

    def __init__(self, blocks: Blocks, pattern: Pattern, *, drain: bool) -> None:
        self.blocks = blocks
        self.pattern = pattern
        self.revision = revision = pattern.revision
        self.routing = revision.gateway_labels()
        self.pins = Pinning(blocks, revision.name)
        self.admission = Admission(blocks, revision)
        self._disturbed = False
        """Whether the gateway drops the service on the way, since its containers disagree."""
        self.started: list[int] = []
        """What has to be done before what needs the service may start."""
        self._pins = can_pin(blocks.state)
        rollout = blocks.desired.rollout(revision.name)
        self._drain = rollout.drain.total_seconds() if drain else 0.0
        self._monitor = 0.0 if pattern.proven else rollout.monitor.total_seconds()

    @property
    def service(self) -> str:
        return self.revision.name

    @property
    def is_routed(self) -> bool:
        return self.revision.is_routed

    # Coming

    def wake(self, replica: Replica, waits: Sequence[int] = ()) -> list[int]:
        """Start what stays but does not run, and wait for what is not healthy."""
        if replica.healthy:
            return []
        behind = list(waits)
        if not replica.running:
            cause = f"it is {replica.state}"
            behind = [self.blocks.start(replica.name, self.service, cause, behind)]
        return [self.blocks.healthy(replica.name, self.revision, behind)]

    def arrive(
        self,
        cause: str,
        after: Sequence[int],
        *,
        waits: Iterable[int] = (),
        number: int | None = None,
        heir_of: Replica | None = None,
    ) -> tuple[str, int]:
        """A new replica: created after `after`, and started after `waits` too. Its name, and what
        has to be done before it may get requests."""
        number = number or self.blocks.next_number(self.service)
        name, created = self.blocks.create(self.pattern, number, cause, after, heir_of)
        reached = self.blocks.reach.of_replica(
            self.server(name), self.blocks.resources.of(self.revision)
        )
        behind = [created, *after, *waits, *reached]
        started = self.blocks.start(name, self.service, cause, behind)
        healthy = self.blocks.healthy(name, self.revision, [started])
        self.started.append(healthy)
        return name, self.admission.prove(name, healthy)

    def _watch_over(self, name: str, after: int) -> int:
        """A version that serves for the first time may end soon after it got healthy."""
        return self.blocks.steady(name, self.revision, self._monitor, [after])

    def server(self, name: str) -> Server | None:
        """How the gateway reaches a replica of the new revision."""
        return self.revision.server(name)

    def keep_previous_image(self) -> None:
        previous = self.pattern.previous
        if previous is not None:
            target = previous_tag(self.blocks.desired.project, self.service)
            step = KeepImage(target=target, service=self.service, image_id=previous.image_id)
            self.blocks.draft.add(step)

    # Going

    def leave(
        self,
        leaving: Sequence[Replica],
        staying: Sequence[Server],
        routing: Mapping[str, str],
        after: Sequence[int],
        causes: Mapping[str, str],
        *,
        verify: Sequence[str] = (),
        health_check: bool = True,
        have_heirs: bool = False,
    ) -> list[int]:
        """Replicas go: the traffic is led to those that stay, theirs ends, they are removed.

        `verify` names new replicas that have to be healthy still when the old ones go.
        """
        behind = list(after)
        cause = causes[leaving[0].id]
        if self._pins and staying and servers_of(leaving):
            behind = self.pins.move(routing, staying, behind, cause, health_check=health_check)
            behind = self.pins.drain(self._drain, behind, cause)
            still = [self.blocks.steady(name, self.revision, 0, behind) for name in verify]
            behind = still or behind
        return [
            self.blocks.remove(replica, causes[replica.id], behind, has_heir=have_heirs)
            for replica in leaving
        ]

    # Replacing

    def replace(
        self,
        old: Sequence[Replica],
        kept: Sequence[Replica],
        wanted: int,
        surge: int,
        causes: Mapping[str, str],
        waits: Sequence[int],
        kept_ready: Sequence[int] = (),
    ) -> None:
        """New replicas come in batches of `surge`, old ones go when their batch serves.

        Where routes or middlewares change, all new ones come before the first old one goes: an
        old route leads to old replicas only, a new one to new ones.
        """
        serving = [replica for replica in old if replica.running and not replica.leaving]
        # The rest serves nobody: its place is filled at once.
        gone = [self.blocks.remove(r, causes[r.id]) for r in old if r not in serving]
        missing = max(0, wanted - len(kept))
        routes = _Routes(self, serving)
        self._disturbed = routes.differ
        at_once = surge + max(0, missing - len(serving))
        if routes.flip:
            at_once = surge = max(surge, missing)
        ready = [s for replica in kept if (s := server_of(replica)) is not None]
        behind: list[int] = []
        first = servers_of(serving) + ([] if routes.flip else servers_of(kept))
        if first and serving and (routes.differ or self.admission.by_proof or self._monitor):
            behind = self.pins.move(routes.old, first, behind, causes[serving[0].id])
        while missing or serving:
            size = min(at_once, missing)
            leaving = serving if missing <= size else serving[:surge]
            cause = causes[leaving[0].id] if leaving else _why_new(wanted, kept)
            serving, missing, at_once = serving[len(leaving) :], missing - size, surge
            new = [self.arrive(cause, behind, waits=waits) for _ in range(size)]
            if leaving and self._monitor:
                new = [(name, self._watch_over(name, step)) for name, step in new]
            ready += [s for name, _ in new if (s := self.server(name)) is not None]
            came = [step for _, step in new]
            behind = [*kept_ready, *(came or behind)]
            if leaving:
                mixed = bool(serving) and not routes.flip
                behind = self.leave(
                    leaving,
                    [*(servers_of(serving) if mixed else []), *ready],
                    routes.old if mixed else self.routing,
                    behind,
                    causes,
                    verify=[name for name, _ in new],
                    health_check=routes.same_check or not mixed,
                )
        self.settle(ready, [*gone, *kept_ready, *behind])

    def replace_one_by_one(
        self,
        old: Sequence[Replica],
        kept: Sequence[Replica],
        wanted: int,
        causes: Mapping[str, str],
        waits: Sequence[int],
        kept_ready: Sequence[int] = (),
        *,
        same_number: bool,
    ) -> None:
        """Stop-first: an old replica goes, then its successor comes."""
        missing, todo = wanted - len(kept), list(old)
        ready = [s for replica in kept if (s := server_of(replica)) is not None]
        # What cannot be made is found out while the old ones serve.
        behind = [*waits, *kept_ready, *(self.blocks.resources.of(self.revision) if old else [])]
        while todo:
            replica = todo.pop(0)
            staying = [*servers_of(todo), *ready]
            heir = missing > 0
            routing = replica.routing
            behind = self.leave([replica], staying, routing, behind, causes, have_heirs=heir)
            if heir:
                missing -= 1
                number = replica.number if same_number else None
                why = causes[replica.id]
                name, step = self.arrive(why, behind, number=number, heir_of=replica)
                ready += [s for s in [self.server(name)] if s is not None]
                behind = [step]
        new = [self.arrive("it is not there", [], waits=behind) for _ in range(missing)]
        ready += [s for name, _ in new if (s := self.server(name)) is not None]
        self.settle(ready, [*(behind if old or kept_ready else []), *(step for _, step in new)])

    def settle(self, servers: Sequence[Server], after: Iterable[int]) -> None:
        """The end of every change: the gateway lists these by their labels, and no pin is left."""
        behind = list(after)
        if self.pins.holds:
            self.pins.release(servers, behind)
            return
        for server in servers:
            if self._disturbed or not self._is_listed(server.container):
                self.blocks.routed(server.container, self.revision, behind)

    def _is_listed(self, container: str) -> bool:
        state = self.blocks.state
        if state.gateway is None or self.blocks.gateway_ready:
            return False  # a gateway that starts has an empty list
        listed = state.gateway.servers.get(f"{self.service}@docker", {})
        return listed.get(self._urls.get(container) or "") == "UP"

    @cached_property
    def _urls(self) -> Mapping[str, str | None]:
        return {replica.name: url_of(replica) for replica in self.blocks.state.of(self.service)}


def _why_new(wanted: int, kept: Sequence[Replica]) -> str:
    return f"{wanted} wanted, {len(kept)} there" if kept else "it is not there"


def replace_all(
    change: Change,
    old: Sequence[Replica],
    kept: Sequence[Replica],
    wanted: int,
    causes: Mapping[str, str],
    waits: Sequence[int] = (),
    kept_ready: Sequence[int] = (),
) -> None:
    """In the service's own order: start-first, unless it is single or wants stop-first."""
    desired, service = change.blocks.desired, change.service
    single, rollout = desired.single(service) is not None, desired.rollout(service)
    if single or rollout.order == "stop-first":
        change.replace_one_by_one(old, kept, wanted, causes, waits, kept_ready, same_number=single)
        return
    surge = rollout.surge
    if isinstance(surge, str):
        surge = max(1, math.ceil(wanted * int(surge.rstrip("%")) / 100))
    change.replace(old, kept, wanted, surge, causes, waits, kept_ready)


def previous_of(old: Sequence[Replica]) -> Previous | None:
    """What a rollback returns to when these replicas are replaced: what the newest of them runs,
    or, for replicas that msctl did not make, nothing."""
    made = [replica for replica in old if replica.revision is not None]
    if not made:
        return None
    newest = max(made, key=lambda replica: (replica.healthy, replica.number))
    assert newest.revision is not None
    return Previous(newest.revision, newest.image_id, newest.files or "")


def inherited(replicas: Sequence[Replica]) -> Previous | None:
    """The revision before, as the replicas that run know it."""
    known = [replica.previous for replica in replicas if replica.previous is not None]
    return Previous.from_json(known[-1]) if known else None


class _Routes:
    """How the routing of the replicas that serve differs from the new one."""

    def __init__(self, change: Change, serving: Sequence[Replica]) -> None:
        routed = [replica for replica in serving if server_of(replica) is not None]
        new = change.routing
        self.old: Mapping[str, str] = routed[0].routing if routed else new
        self.differ = any(dict(replica.routing) != dict(new) for replica in routed)
        """The gateway drops a service whose containers disagree: a pin has to hold it."""
        self.flip = any(not same_routing(replica.routing, new) for replica in routed)
        self.same_check = all(
            same_health_check(replica.routing, new, change.service) for replica in routed
        )
