"""The plan that changes how many replicas services have, and nothing else."""

from __future__ import annotations

from collections import Counter

from msctl.engines.base import Scale
from msctl.engines.compose.blocks import Blocks
from msctl.engines.compose.compare import outdated, worst_first
from msctl.engines.compose.desired import Desired
from msctl.engines.compose.revision import Revision
from msctl.errors import UsageProblem
from msctl.model import GATEWAY
from msctl.plan import Plan
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
        revision, files = running_revision(desired, service, replicas)
        _scale(blocks, revision, files, count, request.cause)
    return blocks.draft.plan()


def check(desired: Desired, service: str, count: int) -> None:
    """Refuse what cannot be scaled, or not that far.

    Raises:
        UsageProblem: with what is allowed.
    """
    if service == GATEWAY:
        raise UsageProblem(f"{GATEWAY} is the gateway: it has one replica and is not scaled")
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


def running_revision(
    desired: Desired, service: str, replicas: tuple[Replica, ...]
) -> tuple[Revision, str]:
    """The revision that most replicas run (of equals the newest), and its files' digest.

    Raises:
        UsageProblem: Docker Compose made the replicas, from another file than ours.
    """
    made = Counter(
        (replica.revision, replica.files or "") for replica in replicas if replica.revision
    )
    if made:
        newest = {(r.revision, r.files or ""): r.number for r in replicas}
        text, files = max(made, key=lambda key: (made[key], newest[key]))
        assert text is not None
        return Revision.from_json(service, text), files
    wanted = desired.revisions[service]
    if any(replica.config_hash != wanted.hash for replica in replicas):
        raise UsageProblem(
            f"{service} was not made by msctl, and differs from the stack file",
            hint=f"msctl up {service}",
        )
    return wanted, desired.files[service]


def _scale(blocks: Blocks, revision: Revision, files: str, count: int, cause: str) -> None:
    service = revision.name
    replicas = blocks.state.of(service)
    stale = {r.id: why for r in replicas if (why := outdated(r, revision, files, blocks.state))}
    why = f"{cause} {len(replicas)} → {count}"
    recorded = blocks.record_intent(service, count, cause)
    first = [recorded] if recorded else []
    ordered = worst_first(replicas, frozenset(stale))
    spare = max(0, len(replicas) - count)
    for replica in ordered[:spare]:
        blocks.remove(replica, why, first)
    for replica in ordered[spare:]:
        if not replica.running:
            started = blocks.start(replica.name, service, f"it is {replica.state}", first)
            blocks.ready(replica.name, revision, [started])
        elif not replica.healthy:
            blocks.ready(replica.name, revision, first)
    for _ in range(count - len(replicas)):
        number = blocks.next_number(service)
        name, created = blocks.create(revision, number, files, why, first)
        started = blocks.start(name, service, why, [created])
        blocks.ready(name, revision, [started])
