"""The plan after an update that failed: what it changed of a service is as it was before. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msctl.engines.kubernetes.cluster import Answer, Cluster, replicas_of, template_of
from msctl.engines.kubernetes.desired import Desired, as_it_runs
from msctl.engines.kubernetes.kinds import (
    RESTARTED,
    SERVICE,
    Data,
    Key,
    is_workload,
    key_of,
    kind_of,
)
from msctl.engines.kubernetes.planning.compare import changes, differs
from msctl.engines.kubernetes.planning.revisions import plain_template
from msctl.engines.kubernetes.planning.up import await_rollout
from msctl.engines.kubernetes.rollouts import progress
from msctl.engines.kubernetes.steps import (
    ApplyObject,
    AwaitRollout,
    RestartWorkload,
    TakeBackRestart,
)
from msctl.plan import Draft, Outcome, Plan

WHY = "the update failed; it is taken back"
_WITH_A_SPEC = ("IngressRoute", "Middleware")
_WITH_DATA = ("ConfigMap",)


def failed_services(desired: Desired, before: Cluster, plan: Plan, outcome: Outcome) -> list[str]:
    """The services whose update failed, and that did well before it."""
    found = dict.fromkeys(
        node.step.service
        for node in plan
        if node.id in outcome.failures and isinstance(node.step, AwaitRollout)
    )
    return [name for name in found if _did_well(desired, before, name)]


def _did_well(desired: Desired, before: Cluster, service: str) -> bool:
    """A job is not taken back, nor what was new, or had no revision that worked."""
    live = before.workload(service)
    if live is None or live["kind"] == "Job" or not replicas_of(live):
        return False
    wanted = desired.workload(service)
    return wanted is not None and wanted["kind"] == live["kind"] and progress(live).done


def as_before(before: Cluster, services: Sequence[str], plan: Plan) -> Iterator[Data]:
    """What the plan has applied of these services, each as it is to be applied to be as before."""
    for step in plan.steps():
        if not isinstance(step, ApplyObject) or step.service not in services:
            continue
        live = before.objects.get(key_of(step.body))
        body = None if live is None else _restored(step.body, live)
        if live is not None and body is not None:
            yield as_it_runs(body, live)


def _restored(applied: Data, live: Data) -> Data | None:
    """An object with the parts that it had; None for what is not taken back, such as bounds and
    rights: pods do not depend on them."""
    kind, spec = applied["kind"], applied.get("spec") or {}
    if is_workload(applied):
        return {**applied, "spec": {**spec, "template": plain_template(template_of(live))}}
    if kind in _WITH_DATA:
        bare = {k: v for k, v in applied.items() if k not in ("data", "binaryData")}
        return {**bare, **{k: live[k] for k in ("data", "binaryData") if live.get(k)}}
    if kind in _WITH_A_SPEC:
        return {**applied, "spec": live["spec"]}
    if kind == SERVICE.kind:
        ports = [{k: v for k, v in port.items() if k != "nodePort"} for port in _ports(live)]
        return {**applied, "spec": {**spec, **({"ports": ports} if ports else {})}}
    return None


def _ports(service: Data) -> Sequence[Mapping[str, Any]]:
    return service["spec"].get("ports") or ()


def plan_retreat(
    desired: Desired,
    before: Cluster,
    services: Sequence[str],
    failed: Plan,
    now: Cluster,
    answers: Sequence[Answer],
) -> Plan:
    """Files, routes and ports first, then the pods, and a wait for those of before."""
    draft = Draft()
    others: dict[str, list[int]] = {}
    workloads: dict[Key, int] = {}
    for answer in sorted(answers, key=lambda a: is_workload(a.wanted)):
        if answer.result is None or not differs(answer.live, answer.result):
            continue
        service = desired.service_of(answer.wanted)
        step = ApplyObject(
            target=str(key_of(answer.wanted)),
            service=service,
            cause=WHY,
            body=answer.wanted,
            force=answer.force,
            changes=changes(answer.live, answer.result),
        )
        if is_workload(answer.wanted):
            workloads[key_of(answer.wanted)] = draft.add(step, others.get(service, ()))
        else:
            others.setdefault(service, []).append(draft.add(step))
    for restart in failed.steps():
        if isinstance(restart, RestartWorkload) and restart.service in services:
            live = before.workload(restart.service)
            assert live is not None
            workloads[key_of(live)] = draft.add(_without_restart(restart, live))
    for service in services:
        live = before.workload(service)
        if live is not None and (number := workloads.get(key_of(live))) is not None:
            wait = await_rollout(desired, live, now.workload(service), None)
            draft.add(wait, [number])
            draft.note(f"{service}: {WHY} to the revision before")
    return draft.plan()


def _without_restart(step: RestartWorkload, live: Data) -> TakeBackRestart:
    marks = (template_of(live).get("metadata") or {}).get("annotations") or {}
    return TakeBackRestart(
        target=step.target,
        service=step.service,
        cause=WHY,
        kind=kind_of(live),
        name=step.name,
        stamp=marks.get(RESTARTED),
    )
