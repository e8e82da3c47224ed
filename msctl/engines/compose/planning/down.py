"""The plan that removes exactly what is ours."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

from msctl.engines.compose.desired import Desired
from msctl.engines.compose.planning.blocks import Blocks
from msctl.engines.compose.planning.compare import is_foreign
from msctl.engines.compose.revision import Previous
from msctl.engines.compose.steps import ReleaseImage, RemoveNetwork, RemoveVolume, previous_tag
from msctl.plan import Plan
from msctl.request import Down
from msctl.state import Replica, StackState


def plan_down(desired: Desired, state: StackState, request: Down) -> Plan:
    """What needs others goes before them; networks and volumes go last."""
    blocks = Blocks(desired, state)
    ours: list[Replica] = []
    foreign: list[Replica] = []
    for replica in state.containers:
        keep = is_foreign(replica, desired) and not request.remove_orphans
        (foreign if keep else ours).append(replica)
    gone: dict[str, list[int]] = {}
    users = _users(desired)

    def remove(service: str) -> list[int]:
        if service not in gone:
            before = [step for user in users.get(service, ()) for step in remove(user)]
            replicas = [replica for replica in ours if replica.service == service]
            if request.volumes:  # then none is kept for anybody
                replicas = [replace(replica, unnamed={}) for replica in replicas]
            gone[service] = [blocks.remove(replica, "", before) for replica in replicas] or before
        return gone[service]

    for replica in ours:
        remove(replica.service)
    all_gone = [step for steps in gone.values() for step in steps]
    _networks(blocks, foreign, all_gone)
    release_images(blocks, ours, all_gone)
    unnamed = [name for replica in ours for name in replica.unnamed.values()]
    for volume in [*_volumes(desired, state, request), *(unnamed if request.volumes else ())]:
        blocks.draft.add(RemoveVolume(target=volume), all_gone)
    return blocks.draft.plan()


def release_images(blocks: Blocks, gone: Iterable[Replica], after: list[int]) -> None:
    """The images of revisions before: without containers nobody knows what to roll back to."""
    kept = {replica.service: replica.previous for replica in gone if replica.previous}
    for service, previous in kept.items():
        tag = previous_tag(blocks.desired.project, service)
        with suppress(ValueError):  # whoever wrote the label
            image = Previous.from_json(previous or "").image_id
            blocks.draft.add(ReleaseImage(target=tag, service=service, image_id=image), after)


def _users(desired: Desired) -> dict[str, list[str]]:
    """The services that need each service."""
    users: dict[str, list[str]] = {}
    for name in {**desired.revisions, **desired.stack.services}:
        service = desired.service(name)
        for need in service.needs if service else desired.needs(name):
            users.setdefault(need, []).append(name)
    return users


def _networks(blocks: Blocks, foreign: list[Replica], after: list[int]) -> None:
    used = {network: replica for replica in foreign for network in replica.addresses}
    for name, network in blocks.state.networks.items():
        if network.project != blocks.desired.project:
            continue
        if name in used:
            blocks.draft.note(
                f"network {name} is kept: {used[name].name}, which is not ours, is on it "
                "(--remove-orphans removes both)"
            )
        else:
            blocks.draft.add(RemoveNetwork(target=name), after)


def _volumes(desired: Desired, state: StackState, request: Down) -> list[str]:
    """Intents always; the project's other volumes when asked for."""
    intents = {intent.volume for intent in state.intents}
    named = {str(v.get("name", key)) for key, v in (desired.document["volumes"] or {}).items()}
    found = [
        name
        for name, volume in state.volumes.items()
        if name in intents
        or (request.volumes and volume.project == desired.project and name in named)
    ]
    return sorted({*found, *intents})
