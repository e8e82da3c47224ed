"""The plan that changes how many replicas services have, and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from msctl.engines.compose.desired import Desired
from msctl.engines.compose.planning.blocks import Blocks, Pattern
from msctl.engines.compose.planning.changing import Change
from msctl.engines.compose.planning.compare import INTERRUPTED, worst_first
from msctl.engines.compose.planning.pinning import refuse_without_gateway, server_of, servers_of
from msctl.engines.compose.revision import Previous, Revision
from msctl.errors import UsageProblem
from msctl.model import OWN_SERVICES
from msctl.plan import Plan
from msctl.request import Scale
from msctl.spelling import did_you_mean
from msctl.state import Replica, StackState


def plan_scale(desired: Desired, state: StackState, request: Scale) -> Plan:
    """Clones of the running revision come, or replicas go; an edited file is never deployed.

    Raises:
        UsageProblem: a count or a service that cannot be accepted.
    """
    for service, count in request.counts.items():
        check(desired, service, count)
    blocks = Blocks(desired, state, request.timeout)
    for service, count in request.counts.items():
        replicas = state.of(service)
        if not replicas:
            raise UsageProblem(
                f"{service} is not up, so there is nothing to scale",
                hint=f"msctl up {service}",
            )
        _scale(blocks, running_pattern(desired, service, replicas), count, request)
    return blocks.draft.plan()


def check(desired: Desired, service: str, count: int) -> None:
    """Refuse what cannot be scaled, or not that far.

    Raises:
        UsageProblem: with what is allowed.
    """
    if service in OWN_SERVICES:
        what = OWN_SERVICES[service]
        raise UsageProblem(f"{service} is {what}: it has one replica and is not scaled")
    if service in desired.left_out:
        raise UsageProblem(f"{service} is left out: {desired.left_out[service]}")
    found = desired.service(service)
    if found is None:
        raise UsageProblem(
            f"{service} is not a service of {desired.project}"
            + did_you_mean(service, desired.stack.services)
        )
    bounds = found.replicas
    if (why := desired.single(service)) and count != 1:
        raise UsageProblem(f"{service} cannot be scaled: {why}")
    if not bounds.min <= count <= bounds.max:
        raise UsageProblem(
            f"{service}: {count} replicas are outside {bounds.min} to {bounds.max}",
            hint=f"to allow it, change services.{service}.replicas in the stack file",
        )


def running_pattern(desired: Desired, service: str, replicas: Sequence[Replica]) -> Pattern:
    """What most replicas are made from (of equals, the newest): revision, image and all.

    Raises:
        UsageProblem: Docker Compose made the replicas, from another file than ours.
    """
    made = [replica for replica in replicas if replica.revision is not None]
    if made:
        counts = Counter((replica.revision, replica.image_id) for replica in made)
        model = max(made, key=lambda r: (counts[r.revision, r.image_id], r.number))
        assert model.revision is not None
        previous = Previous.from_json(model.previous) if model.previous else None
        revision = Revision.from_json(service, model.revision)
        return Pattern(revision, model.files or "", model.image_id, previous, proven=True)
    wanted = desired.revisions[service]
    if any(replica.config_hash != wanted.hash for replica in replicas):
        raise UsageProblem(
            f"{service} was not made by msctl, and differs from the stack file",
            hint=f"msctl up {service}",
        )
    return Pattern(wanted, desired.files[service], replicas[-1].image_id, proven=True)


def _scale(blocks: Blocks, pattern: Pattern, count: int, request: Scale) -> None:
    revision = pattern.revision
    service = revision.name
    replicas = [replica for replica in blocks.state.of(service) if not replica.leaving]
    interrupted = [replica for replica in blocks.state.of(service) if replica.leaving]
    gone = [blocks.remove(replica, INTERRUPTED) for replica in interrupted]
    change = Change(blocks, pattern, drain=request.drain)
    why = f"{request.cause} {len(replicas)} → {count}"
    stale = [
        r.id for r in replicas if (r.config_hash, r.image_id) != (revision.hash, pattern.image_id)
    ]
    ordered = worst_first(replicas, frozenset(stale))
    spare = max(0, len(replicas) - count)
    leaving, staying = ordered[:spare], ordered[spare:]
    if request.drain and change.is_routed and (leaving or change.pins.holds):
        refuse_without_gateway(blocks)
    blocks.record_intent(service, count, request.cause)
    awaited = [step for replica in staying for step in change.wake(replica)]
    serving, behind = servers_of(staying), list[int]()
    if leaving:
        causes = dict.fromkeys((replica.id for replica in leaving), why)
        behind = change.leave(leaving, serving, staying[-1].routing, behind, causes)
    missing = max(0, count - len(replicas))
    if missing and change.admission.by_proof and serving:
        behind = change.pins.move(staying[-1].routing, serving, behind, why)
    new = [change.arrive(why, behind) for _ in range(missing)]
    servers = [s for replica in staying if (s := server_of(replica)) is not None]
    servers += [s for name, _ in new if (s := change.server(name)) is not None]
    change.settle(servers, [*gone, *behind, *awaited, *(step for _, step in new)])
