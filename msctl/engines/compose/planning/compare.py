"""How a container that exists differs from what shall be, and which of several goes first."""

from __future__ import annotations

from collections.abc import Iterable

from msctl.engines.compose.desired import Desired
from msctl.engines.compose.revision import Revision
from msctl.state import Health, Replica, StackState

INTERRUPTED = "an interrupted msctl kept requests from it"


def outdated(replica: Replica, revision: Revision, files: str, state: StackState) -> str | None:
    """Why a replica is to be replaced by the revision; None when it matches.

    Those of configuration, image and networks are Docker Compose's (`pkg/compose`,
    `mustRecreate`).
    """
    image = state.images.get(revision.image)
    if replica.leaving:
        return INTERRUPTED
    if replica.config_hash != revision.hash:
        return "its configuration changed"
    if image is not None and replica.image_id != image.id:
        return "its image changed"
    expected = revision.network_names()
    if any(network not in replica.addresses for network in expected):
        return "it is off a network"
    if any(network not in state.networks for network in expected):
        return "its network is gone"
    if replica.files is not None and replica.files != files:
        return "a mounted file changed"
    if replica.state in ("dead", "removing"):
        return f"it is {replica.state}"
    return None


def changed_secret(replica: Replica, revision: Revision, state: StackState) -> str | None:
    """Why a replica is to be replaced whose secrets have other contents by now: its mounts show it
    the old files."""
    for name, secret in revision.secrets.items():
        path = str(secret.get("file", ""))
        seen, now = replica.secrets.get(path), state.secrets.get(path)
        if seen and now and seen != now:
            return f"secret {name} changed"
    return None


def worst_first(replicas: Iterable[Replica], outdated_ids: frozenset[str]) -> list[Replica]:
    """The order in which replicas are given up: what does not run, what is unhealthy, what is
    outdated, then the highest numbers."""

    def rank(replica: Replica) -> tuple[bool, bool, bool, int]:
        return (
            replica.running and not replica.leaving,
            replica.health is not Health.UNHEALTHY,
            replica.id not in outdated_ids,
            -replica.number,
        )

    return sorted(replicas, key=rank)


def is_foreign(replica: Replica, desired: Desired) -> bool:
    """In the project, but neither made by msctl nor named in the stack file."""
    named = replica.service in desired.names or replica.service in desired.left_out
    return not replica.ours and not named
