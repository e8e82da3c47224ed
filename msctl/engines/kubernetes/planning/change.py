"""The plans that change one thing: replicas, or the pods of a service. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msctl.engines.kubernetes.cluster import Answer, Cluster, replicas_of, template_of
from msctl.engines.kubernetes.desired import Desired, as_it_runs
from msctl.engines.kubernetes.kinds import (
    SCALED_OBJECT,
    Data,
    key_of,
    kind_of,
)
from msctl.engines.kubernetes.planning.compare import changes
from msctl.engines.kubernetes.planning.revisions import earlier, plain_template
from msctl.engines.kubernetes.planning.up import await_rollout, cause_of
from msctl.engines.kubernetes.steps import ApplyObject, RestartWorkload, ScaleWorkload
from msctl.errors import UsageProblem
from msctl.model import GATEWAY
from msctl.plan import Draft, Plan, Step
from msctl.request import Restart, Rollback, Rollout, Scale
from msctl.spelling import did_you_mean


def running(desired: Desired, cluster: Cluster, service: str) -> Data:
    """The workload of a service that is up.

    Raises:
        UsageProblem: there is none.
    """
    if service not in desired.names:
        raise UsageProblem(
            f"{service} is not a service of {desired.stack.name}"
            + did_you_mean(service, desired.names)
        )
    found = cluster.workload(service)
    if found is None:
        raise UsageProblem(f"{service} is not up", hint=f"msctl up {service}")
    return found


# Scale


def plan_scale(desired: Desired, cluster: Cluster, request: Scale) -> Plan:
    """Set the replicas of services that are up; the file is not deployed.

    Raises:
        UsageProblem: a count or a service that cannot be accepted.
    """
    draft = Draft()
    for service, count in request.counts.items():
        _check(desired, cluster, service, count)
    for service, count in request.counts.items():
        workload = running(desired, cluster, service)
        had = replicas_of(workload)
        if found := cluster.autoscaler(workload):
            low, high = bounds_of(found)
            draft.note(
                f"{service}: its {found['kind']} keeps it between {low} and {high}, and "
                f"goes on from {count} as the load asks"
            )
        after = []
        if had != count:
            key = key_of(workload)
            step = ScaleWorkload(
                target=str(key),
                service=service,
                cause=f"{request.cause} {had} → {count}",
                kind=kind_of(workload),
                name=key.name,
                replicas=count,
            )
            after = [draft.add(step)]
        if after:
            scaled = {**workload, "spec": {**workload["spec"], "replicas": count}}
            draft.add(await_rollout(desired, scaled, scaled, request.timeout), after)
    return draft.plan()


def bounds_of(autoscaler: Data) -> tuple[int, int]:
    """Fewest and most replicas, as each kind of autoscaler has them by default."""
    spec = autoscaler["spec"]
    if autoscaler["kind"] == SCALED_OBJECT.kind:
        return int(spec.get("minReplicaCount", 0)), int(spec.get("maxReplicaCount", 100))
    return int(spec.get("minReplicas") or 1), int(spec["maxReplicas"])


def _check(desired: Desired, cluster: Cluster, service: str, count: int) -> None:
    if service == GATEWAY:
        raise UsageProblem(
            f"{GATEWAY} is the gateway: its replicas are set in the rendering, not by scale"
        )
    workload = running(desired, cluster, service)
    known = desired.stack.services[service]
    if (known.stateful or known.job) and count != 1:
        why = "stateful" if known.stateful else "a job"
        raise UsageProblem(f"{service} cannot be scaled: it is {why}")
    bounds = known.replicas
    if not bounds.min <= count <= bounds.max:
        raise UsageProblem(
            f"{service}: {count} replicas are outside {bounds.min} to {bounds.max}",
            hint=f"to allow it, change services.{service}.replicas in the stack file",
        )
    if found := cluster.autoscaler(workload):
        low, high = bounds_of(found)
        if not low <= count <= high:
            raise UsageProblem(
                f"{service}: its {found['kind']} {found['metadata']['name']} keeps it "
                f"between {low} and {high}, so that {count} would not last",
                hint=f"to allow it, change services.{service}.autoscale in the stack file and run "
                f"msctl up {service}",
            )


# Rollout, rollback, restart


def with_image(workload: Data, image: str) -> Data:
    """A workload whose first container has another image."""
    spec, template = workload["spec"], template_of(workload)
    first, *others = template["spec"]["containers"]
    pod = {**template["spec"], "containers": [{**first, "image": image}, *others]}
    return {**workload, "spec": {**spec, "template": {**template, "spec": pod}}}


def plan_rollout(desired: Desired, answer: Answer, request: Rollout) -> Plan:
    """What the file says, or the image; where the pods would stay as they are, they are replaced
    all the same."""
    draft = Draft()
    wanted, live, result = answer.wanted, answer.live, answer.result
    assert live is not None
    assert result is not None
    lines = changes(live, result)
    step: Step
    if pods_differ(live, result):
        step = _apply(answer, request.service, lines)
    else:
        step = _restart(live, request.service, "rollout")
    if request.image is not None:
        draft.note(f"{request.service} runs {request.image} until the next up")
    wait = await_rollout(desired, wanted, live, request.timeout)
    draft.add(wait, [draft.add(step)])
    return draft.plan()


def plan_restart(desired: Desired, live: Data, request: Restart) -> Plan:
    if live["kind"] == "Job":
        raise UsageProblem(f"{request.service} is a job: it runs once")
    draft = Draft()
    step = draft.add(_restart(live, request.service, "restart"))
    draft.add(await_rollout(desired, live, live, request.timeout), [step])
    return draft.plan()


def plan_rollback(desired: Desired, answer: Answer, request: Rollback) -> Plan:
    """To the template of the revision before."""
    draft = Draft()
    live, result = answer.live, answer.result
    assert live is not None
    assert result is not None
    step = _apply(answer, request.service, changes(live, result))
    draft.note(f"the next up returns {request.service} to the stack file")
    draft.add(await_rollout(desired, live, live, request.timeout), [draft.add(step)])
    return draft.plan()


def rolled_back(desired: Desired, cluster: Cluster, service: str) -> Data:
    """A service's workload with the template of the revision before, as it is to be applied.

    Raises:
        UsageProblem: there is no such revision, or it is not known.
    """
    live = running(desired, cluster, service)
    base = desired.workload(service)
    if live["kind"] == "Job":
        raise UsageProblem(f"{service} is a job: it runs once")
    if base is None or base["kind"] != live["kind"]:
        raise UsageProblem(
            f"{service} runs as a {live['kind']}, and the stack file makes another kind of it",
            hint=f"msctl up {service}",
        )
    before = earlier(cluster, live)
    if before is None:
        raise UsageProblem(
            f"{service} has no revision before the one that runs",
            hint="the cluster keeps as many as spec.revisionHistoryLimit says",
        )
    base = as_it_runs(base, live)
    return {**base, "spec": {**base["spec"], "template": before}}


def pods_differ(live: Data, result: Data) -> bool:
    return plain_template(template_of(live)) != plain_template(template_of(result))


def _apply(answer: Answer, service: str, lines: tuple[str, ...]) -> ApplyObject:
    return ApplyObject(
        target=str(key_of(answer.wanted)),
        service=service,
        cause=cause_of(lines),
        body=answer.wanted,
        force=answer.force,
        changes=lines,
    )


def _restart(workload: Mapping[str, Any], service: str, cause: str) -> RestartWorkload:
    key = key_of(workload)
    return RestartWorkload(
        target=str(key), service=service, cause=cause, kind=kind_of(workload), name=key.name
    )
