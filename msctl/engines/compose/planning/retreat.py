"""The plan after an update that failed: the old replicas go on, what never served goes."""

from __future__ import annotations

from collections.abc import Set

from msctl.engines.compose.desired import Desired
from msctl.engines.compose.planning.blocks import Blocks, Pattern
from msctl.engines.compose.planning.changing import Change
from msctl.engines.compose.planning.pinning import servers_of, url_of
from msctl.engines.compose.steps import CreateContainer
from msctl.plan import Outcome, Plan
from msctl.state import Replica, StackState

WHY = "the update failed; the old replicas go on"


def plan_retreat(desired: Desired, state: StackState, failed: Plan, outcome: Outcome) -> Plan:
    """Only services in the middle of an update: old replicas serve, and new ones are there."""
    made = {step.target for step in failed.steps() if isinstance(step, CreateContainer)}
    # One that has ended may have been started again, and look well.
    blamed = {node.step.target for node in failed if node.id in outcome.failures}
    blocks = Blocks(desired, state)
    for name in desired.names:
        if desired.single(name) is None:
            _service(blocks, name, made | blamed, blamed)
    return blocks.draft.plan()


def _service(blocks: Blocks, name: str, coming: Set[str], blamed: Set[str]) -> None:
    desired, state = blocks.desired, blocks.state
    new = [r for r in state.of(name) if r.name in coming]
    old = [r for r in state.of(name) if r.name not in coming and r.healthy]
    if not old or not new:
        return
    change = Change(blocks, Pattern(desired.revisions[name], desired.files[name]), drain=True)
    pinned = (state.gateway.pinned(name) if state.gateway else None) or {}
    if pinned and any(dict(r.routing) != dict(old[0].routing) for r in new):
        # The labels disagree: without the pin the gateway would drop the service.
        failed = [r for r in new if url_of(r) not in pinned or r.name in blamed]
    else:
        failed = [r for r in new if not r.healthy or r.name in blamed]
    rest: list[Replica] = [r for r in state.of(name) if r not in failed]
    if any(r.healthy and (not pinned or url_of(r) in pinned) for r in failed):
        # It gets requests: they are led away first.
        causes = dict.fromkeys((r.id for r in failed), WHY)
        gone = change.leave(failed, servers_of(rest), old[0].routing, [], causes)
    else:
        gone = [blocks.remove(replica, WHY) for replica in failed]
    if change.pins.holds and all(dict(r.routing) == dict(rest[0].routing) for r in rest):
        change.settle(servers_of(rest), gone)
    elif change.pins.holds:
        blocks.draft.note(
            f"{name}: old and new replicas both serve, and their labels disagree; a pin holds the "
            "traffic on them until the next msctl up"
        )
