"""The plans that replace every replica of one service."""

from __future__ import annotations

from msctl.engines.compose.desired import Desired
from msctl.engines.compose.planning.blocks import Blocks, Pattern
from msctl.engines.compose.planning.changing import GATEWAY_GOES, Change, previous_of, replace_all
from msctl.engines.compose.planning.pinning import refuse_without_gateway
from msctl.engines.compose.planning.scale import running_pattern
from msctl.engines.compose.revision import Previous, Revision
from msctl.errors import UsageProblem
from msctl.model import GATEWAY
from msctl.plan import Plan
from msctl.request import Restart, Rollback, Rollout
from msctl.state import Replica, StackState


def plan_rollout(desired: Desired, state: StackState, request: Rollout) -> Plan:
    """To the stack file's revision, or the same with another image."""
    replicas = _replicas(desired, state, request.service)
    revision = desired.revisions[request.service]
    if request.image is not None:
        revision = revision.with_image(request.image)
    pattern = Pattern(revision, desired.files[request.service], previous=previous_of(replicas))
    return _replace(desired, state, request, pattern, "rollout")


def plan_rollback(desired: Desired, state: StackState, request: Rollback) -> Plan:
    """To what `dev.msctl.previous` of the running replicas names.

    Raises:
        UsageProblem: there is no revision before.
    """
    replicas = _replicas(desired, state, request.service)
    running = running_pattern(desired, request.service, replicas)
    if running.previous is None:
        raise UsageProblem(
            f"{request.service} has no revision before the one that runs",
            hint=f"msctl rollout {request.service} --image REF runs another image",
        )
    before = running.previous
    pattern = Pattern(
        Revision.from_json(request.service, before.revision),
        before.files,
        before.image_id,
        Previous(running.revision.to_json(), running.image_id or "", running.files),
    )
    return _replace(desired, state, request, pattern, "rollback")


def plan_restart(desired: Desired, state: StackState, request: Restart) -> Plan:
    """To copies of what runs; an edited file is not deployed."""
    replicas = _replicas(desired, state, request.service)
    pattern = running_pattern(desired, request.service, replicas)
    return _replace(desired, state, request, pattern, "restart")


def _replicas(desired: Desired, state: StackState, service: str) -> tuple[Replica, ...]:
    if desired.is_job(service):
        raise UsageProblem(
            f"{service} is a job: it runs once", hint="change it, and msctl up runs it again"
        )
    replicas = state.of(service)
    if not replicas:
        raise UsageProblem(f"{service} is not up", hint=f"msctl up {service}")
    return replicas


def _replace(
    desired: Desired,
    state: StackState,
    request: Rollout | Rollback | Restart,
    pattern: Pattern,
    cause: str,
) -> Plan:
    blocks = Blocks(desired, state, request.timeout)
    change = Change(blocks, pattern, drain=request.drain)
    replicas = state.of(request.service)
    if request.drain and change.is_routed:
        refuse_without_gateway(blocks)
    if request.service == GATEWAY:
        blocks.draft.note(GATEWAY_GOES)
    elif desired.single(request.service):
        blocks.draft.note(f"{request.service} is replaced stop-first, since it is single")
    intent = state.intent(request.service)
    wanted = intent.replicas if intent else sum(not replica.leaving for replica in replicas)
    if cause != "restart":
        change.keep_previous_image()
    causes = dict.fromkeys((replica.id for replica in replicas), cause)
    replace_all(change, replicas, [], wanted, causes)
    return blocks.draft.plan()
