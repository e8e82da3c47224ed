"""The networks of the gateway in a plan: on the way from one form of the stack file to another it
is on all by which replicas are reached, and in the end on no other.

A container that runs joins and leaves networks without a restart. But its published ports are on
one of them: when it leaves that one, the engine ends the connections and moves the ports. So they
are on one that it keeps, where an engine can be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msctl.engines.compose.desired import Desired
from msctl.engines.compose.revision import Revision
from msctl.engines.compose.servers import Server
from msctl.engines.compose.steps import JoinNetwork, LeaveNetwork
from msctl.model import GATEWAY
from msctl.plan import Draft
from msctl.state import StackState

GATEWAY_PRIORITY_API = (1, 48)
"""Docker 28: older ones publish ports on the first network by name."""


def with_ports_kept(
    networks: Mapping[str, Mapping[str, Any]], revision: Revision, api: tuple[int, int]
) -> dict[str, Mapping[str, Any]]:
    """Endpoints of a new gateway; its ports are on the first of them that leads outside."""
    own = revision.networks
    internal = {one.get("name", key) for key, one in own.items() if one.get("internal")}
    front = next((name for name in networks if name not in internal), None)
    if api < GATEWAY_PRIORITY_API or front is None:
        return dict(networks)
    others = {name: settings for name, settings in networks.items() if name != front}
    return {front: {**networks[front], "GwPriority": 1}, **others}


class Reach:
    """What the gateway reaches at each point of a plan."""

    def __init__(self, desired: Desired, state: StackState, draft: Draft) -> None:
        self._desired = desired
        self._state = state
        self._draft = draft
        self._joined: dict[str, list[int]] = {
            network: [] for replica in state.of(GATEWAY) for network in replica.addresses
        }
        """Its networks, with what has to be done before it is on them."""
        self._own: frozenset[str] | None = None
        """Those that it was made for."""

    def of_new_gateway(self, revision: Revision) -> list[str]:
        """Networks of replicas that run, which the file's gateway is not on by itself."""
        self._own = frozenset(revision.network_names())
        running = [replica for replica in self._state.containers if replica.running]
        servers = [Server.by_labels(r.name, r.service, r.routing) for r in running]
        used = {server.network: None for server in servers if server is not None}
        more = [name for name in used if name not in self._own and name in self._state.networks]
        self._joined = {name: [] for name in (*self._own, *more)}
        return more

    def of_replica(self, server: Server | None, after: Iterable[int]) -> list[int]:
        """What has to be done before the gateway reaches a new replica."""
        if server is None or not self._joined:
            return []
        if server.network not in self._joined:
            step = JoinNetwork(
                target=server.network,
                service=GATEWAY,
                cause=f"{server.container} is reached by it",
                container=self._container,
            )
            self._joined[server.network] = [self._draft.add(step, after)]
        return self._joined[server.network]

    def leave_others(self) -> None:
        """When all is as the file says: no network of the project but the file's."""
        if not self._desired.has_gateway:
            return
        own = self._desired.revisions[GATEWAY].network_names()
        nodes = self._draft.nodes
        last = {node.id for node in nodes} - {step for node in nodes for step in node.after}
        for name in self._joined:
            found = self._state.networks.get(name)
            if name in own or found is None or found.project != self._desired.project:
                continue  # a network of somebody else's was joined by hand
            step = LeaveNetwork(
                target=name,
                service=GATEWAY,
                cause="nothing that it leads to is there",
                container=self._container,
            )
            self._draft.add(step, last)
            if self._state.engine.api < GATEWAY_PRIORITY_API:
                self._draft.note(
                    f"the gateway leaves network {name}: requests that are under way then may be "
                    "cut off (Docker 28 does not do that)"
                )

    @property
    def _container(self) -> str:
        """Of the gateway that is there at this point."""
        if self._own is None:
            return self._state.of(GATEWAY)[0].name
        return str(self._desired.document["services"][GATEWAY]["container_name"])
