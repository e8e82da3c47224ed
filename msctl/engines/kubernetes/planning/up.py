"""The plan that brings a cluster to what the file says. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

from msctl.engines.kubernetes.cluster import Answer, Cluster, replicas_of
from msctl.engines.kubernetes.desired import Desired
from msctl.engines.kubernetes.kinds import (
    APPLIED,
    CLAIM,
    NAMESPACE,
    Data,
    Key,
    is_workload,
    key_of,
    kind_of,
)
from msctl.engines.kubernetes.planning.compare import changes, differs
from msctl.engines.kubernetes.rollouts import given_up, progress
from msctl.engines.kubernetes.steps import (
    ApplyObject,
    AwaitGone,
    AwaitRollout,
    DeleteObject,
    ScaleWorkload,
)
from msctl.model import GATEWAY, Rollout
from msctl.plan import Draft, Plan
from msctl.render.kubernetes.workloads import PULL
from msctl.request import Up

NEW = "is not there"
_SHOWN = 3
"""Changes that stand in a step's line; `--dry-run` shows all of them below it."""


def plan_up(desired: Desired, cluster: Cluster, answers: Sequence[Answer], request: Up) -> Plan:
    """Apply what differs, each workload after those that its service needs; then what left."""
    work = _Work(desired, cluster, request)
    found = {key_of(answer.wanted): answer for answer in answers}
    for answer in answers:
        if not is_workload(answer.wanted):
            work.apply(answer)
    for service in _in_order(desired, found):
        for answer in answers:
            if is_workload(answer.wanted) and desired.service_of(answer.wanted) == service:
                work.roll_out(service, answer)
    if not request.services:
        work.prune()
    return work.draft.plan()


def _in_order(desired: Desired, found: Mapping[Key, Answer]) -> Iterator[str]:
    """The services that have a workload, those first that others need."""
    names = dict.fromkeys(
        desired.service_of(a.wanted) for a in found.values() if is_workload(a.wanted)
    )
    seen: set[str] = set()

    def visit(name: str) -> Iterator[str]:
        if name in seen or name not in names:
            return
        seen.add(name)
        for need in desired.needs(name):
            yield from visit(need)
        yield name

    for name in names:
        yield from visit(name)


@dataclass
class _Work:
    """A plan in the making."""

    desired: Desired
    cluster: Cluster
    request: Up
    draft: Draft = field(default_factory=Draft)
    home: list[int] = field(default_factory=list)
    """The step that makes the namespace."""
    shared: dict[str, list[int]] = field(default_factory=dict)
    """The steps of what is no workload, by service."""
    ready: dict[str, list[int]] = field(default_factory=dict)
    """The waits for a service's rollout."""

    def apply(self, answer: Answer) -> None:
        if (step := self._apply(answer, self.home)) is not None:
            if answer.wanted["kind"] == NAMESPACE.kind:
                self.home = [step]
            else:
                self.shared.setdefault(self.desired.service_of(answer.wanted), []).append(step)

    def roll_out(self, service: str, answer: Answer) -> None:
        needs = self.desired.needs(service)
        behind = [
            *self.home,
            *self.shared.get("", ()),
            *self.shared.get(service, ()),
            *(step for need in needs for step in self.ready.get(need, ())),
        ]
        applied = (
            self._replace(answer, behind) if answer.immutable else self._scaled(answer, behind)
        )
        live = answer.live
        if applied is None and live is not None and progress(live).done:
            return
        wait = await_rollout(self.desired, answer.wanted, live, self.request.timeout)
        after = [] if applied is None else [applied]
        self.ready.setdefault(service, []).append(self.draft.add(wait, after))

    def _scaled(self, answer: Answer, behind: list[int]) -> int | None:
        """Back to the file's replicas by the subresource that a manual scale has used."""
        wanted, live = answer.wanted, answer.live
        count = wanted["spec"].get("replicas")
        if self.request.reset_scale and live is not None and count is not None:
            had = replicas_of(live)
            if had != count:
                key = key_of(wanted)
                step = ScaleWorkload(
                    target=str(key),
                    service=self.desired.service_of(wanted),
                    cause=f"--reset-scale {had} → {count}",
                    kind=kind_of(wanted),
                    name=key.name,
                    replicas=count,
                )
                number = self.draft.add(step, behind)
                return self._apply(answer, [number]) or number
        return self._apply(answer, behind)

    def _apply(self, answer: Answer, behind: Sequence[int]) -> int | None:
        wanted, live, result = answer.wanted, answer.live, answer.result
        if live is not None and result is not None and not differs(live, result):
            return None
        lines = changes(live, result) if live is not None and result is not None else ()
        step = ApplyObject(
            target=str(key_of(wanted)),
            service=self.desired.service_of(wanted),
            cause=cause_of(lines) if live is not None else NEW,
            body=wanted,
            force=answer.force,
            changes=lines,
        )
        return self.draft.add(step, behind)

    def _replace(self, answer: Answer, behind: list[int]) -> int:
        """A job's template cannot be changed: the finished job goes, and a new one comes."""
        key, kind = key_of(answer.wanted), kind_of(answer.wanted)
        target, service = str(key), self.desired.service_of(answer.wanted)
        why = "is another job in the file"
        delete = DeleteObject(target=target, service=service, cause=why, kind=kind, name=key.name)
        gone = self.draft.add(delete, behind)
        wait = AwaitGone(target=target, service=service, kind=kind, name=key.name, timeout=60.0)
        gone = self.draft.add(wait, [gone])
        step = ApplyObject(target=target, service=service, cause=why, body=answer.wanted)
        return self.draft.add(step, [gone])

    def prune(self) -> None:
        """What msctl made and the file no longer has goes, once what comes in its place is there;
        volumes stay, since there is data in them."""
        waits = [step for steps in self.ready.values() for step in steps]
        for kind in reversed(APPLIED):
            for live in self.cluster.of(kind):
                key = key_of(live)
                if key in self.desired.keys or kind in (CLAIM, NAMESPACE):
                    continue
                step = DeleteObject(
                    target=str(key),
                    service=self.desired.service_of(live),
                    cause="left the stack file",
                    kind=kind,
                    name=key.name,
                )
                self.draft.add(step, waits)


def cause_of(lines: Sequence[str]) -> str:
    """The first changes, in a line."""
    shown = "; ".join(lines[:_SHOWN])
    more = len(lines) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def await_rollout(
    desired: Desired, workload: Data, live: Data | None, timeout: float | None
) -> AwaitRollout:
    """The wait for a workload; its deadline is the `health_timeout` of one replica for each that
    comes in turn, and once the time in which the nodes get the image."""
    key, name = key_of(workload), desired.service_of(workload)
    service = desired.stack.services.get(name)
    rollout = service.rollout if service is not None else Rollout()
    count = 1 if workload["kind"] == "Job" else replicas_of(live or workload)
    each = (rollout.health_timeout + rollout.monitor).total_seconds()
    patience = PULL + each * turns(workload, count)
    return AwaitRollout(
        target=str(key),
        service=name,
        timeout=patience if timeout is None else timeout,
        kind=kind_of(workload),
        name=key.name,
        stale="" if live is None else given_up(live),
    )


def turns(workload: Data, count: int) -> int:
    """How many times some replicas are replaced until all are."""
    if workload["kind"] != "Deployment":
        return max(1, count)
    rolling = (workload["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    surge = rolling.get("maxSurge", "25%")
    if isinstance(surge, str):
        surge = ceil(count * int(surge.rstrip("%")) / 100)
    return max(1, ceil(count / max(1, int(surge))))


def needed(desired: Desired, services: Sequence[str], cluster: Cluster) -> tuple[str, ...]:
    """The named services, those that they need and that are not well, and the gateway."""
    found = dict.fromkeys(services)
    todo = list(services)
    while todo:
        for need in desired.needs(todo.pop()):
            live = cluster.workload(need)
            if need not in found and (live is None or not progress(live).done):
                found[need] = None
                todo.append(need)
    known = desired.stack.services
    if any(name in known and known[name].routes for name in found):
        live = cluster.workload(GATEWAY)
        if live is None or not progress(live).done:
            found[GATEWAY] = None
    return tuple(found)
