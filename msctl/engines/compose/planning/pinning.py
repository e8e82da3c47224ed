"""Holds the traffic of one service on chosen replicas, while others come and go.

A pin in force is never overwritten: the free slot is written and awaited, then the other one is
emptied and awaited.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from msctl.engines.compose.planning.blocks import Blocks
from msctl.engines.compose.servers import Server
from msctl.engines.compose.steps import (
    AwaitPinned,
    AwaitServers,
    AwaitUnpinned,
    Drain,
    EmptyPin,
    WritePin,
)
from msctl.errors import MsctlError
from msctl.model import GATEWAY
from msctl.render.traefik.pins import (
    SLOTS,
    Slot,
    file_name,
    gateway_name,
    other,
    parse_gateway_name,
)
from msctl.state import Replica, StackState

PIN_TIMEOUT = 20.0
"""Seconds that the gateway may take to follow a pin."""


class Pinning:
    """The pins of one service in a plan."""

    def __init__(self, blocks: Blocks, service: str) -> None:
        self._blocks = blocks
        self._service = service
        self._possible = can_pin(blocks.state)
        self._in_force = pins_of(blocks.state, service) if self._possible else []

    @property
    def holds(self) -> bool:
        """Whether a pin is in force at this point of the plan."""
        return bool(self._in_force)

    def move(
        self,
        routing: Mapping[str, str],
        servers: Sequence[Server],
        after: Iterable[int],
        cause: str,
        *,
        health_check: bool = True,
    ) -> list[int]:
        """Lead all traffic to exactly these servers; what has to be done before it is so."""
        behind = list(after)
        if not self._possible:
            return behind
        behind += [*self._blocks.gateway_ready, *self._blocks.settings_ready]
        while len(self._in_force) > 1:
            # Two of a killed msctl: one is enough, and its slot is needed.
            behind = self._empty(self._in_force.pop(0), behind, "a second one is in force")
        slot = other(self._in_force[0]) if self._in_force else SLOTS[0]
        write = WritePin(
            target=file_name(self._service, slot),
            service=self._service,
            cause=cause,
            slot=slot,
            labels=routing,
            servers=tuple(servers),
            health_check=health_check,
        )
        pinned = AwaitPinned(
            target=self._service,
            service=self._service,
            timeout=PIN_TIMEOUT,
            slot=slot,
            servers=tuple(servers),
        )
        draft = self._blocks.draft
        behind = [draft.add(pinned, [draft.add(write, behind)])]
        if self._in_force:
            behind = self._empty(self._in_force.pop(), behind, f"slot {slot} holds")
        self._in_force = [slot]
        return behind

    def drain(self, seconds: float, after: Iterable[int], cause: str) -> list[int]:
        """Let the requests inside the leaving replicas end."""
        if not self._possible or not seconds:
            return list(after)
        step = Drain(
            target=self._service,
            service=self._service,
            cause=cause,
            seconds=seconds,
            timeout=seconds + PIN_TIMEOUT,
        )
        return [self._blocks.draft.add(step, after)]

    def release(self, servers: Sequence[Server], after: Iterable[int]) -> list[int]:
        """Give the traffic back to what the gateway makes of the labels, once that lists these
        servers and none that is gone."""
        behind = list(after)
        if not self._in_force:
            return behind
        if servers:
            listed = AwaitServers(
                target=self._service,
                service=self._service,
                timeout=PIN_TIMEOUT,
                servers=tuple(servers),
            )
            behind = [self._blocks.draft.add(listed, [*behind, *self._blocks.gateway_ready])]
        while self._in_force:
            behind = self._empty(self._in_force.pop(), behind, "the labels agree")
        return behind

    def _empty(self, slot: Slot, after: list[int], cause: str) -> list[int]:
        draft, name = self._blocks.draft, self._service
        emptied = EmptyPin(target=file_name(name, slot), service=name, cause=cause, slot=slot)
        gone = AwaitUnpinned(target=name, service=name, timeout=PIN_TIMEOUT, slot=slot)
        return [draft.add(gone, [draft.add(emptied, after)])]


def can_pin(state: StackState) -> bool:
    """Whether the gateway can be told where to send its traffic."""
    return state.gateway is not None and state.gateway.answered


def refuse_without_gateway(blocks: Blocks) -> None:
    """Before requests would be lost: the gateway runs, but cannot be asked.

    Raises:
        MsctlError: nothing was changed.
    """
    state, gateway = blocks.state, blocks.state.gateway
    if not blocks.desired.has_gateway:
        return  # it goes too, and all its traffic with it
    if not any(c.service == GATEWAY and c.running for c in state.containers):
        blocks.draft.note("the gateway is not running: there is no traffic to drain")
        return
    if gateway is None:
        reason = "its API is published nowhere (gateway.dashboard is off, gateway.api is not set)"
    elif gateway.answered:
        return
    else:
        reason = f"its API does not answer at {gateway.url}: {gateway.error}"
    raise MsctlError(
        f"cannot drain: the gateway runs, but {reason}",
        hint="nothing was changed; msctl logs traefik may tell why; --no-drain goes on all the "
        "same, and loses the requests that are inside the replicas that go",
    )


def pins_of(state: StackState, service: str) -> list[Slot]:
    """The slots of a service whose pin is in force."""
    servers = state.gateway.servers if state.gateway else {}
    return [slot for slot in SLOTS if gateway_name(service, slot) in servers]


def with_leaving(state: StackState) -> StackState:
    """What is there before anything is begun: a healthy replica that a pin keeps out is not to be
    counted on.

    The engine goes on with a stop when the msctl that asked for it is killed, and until it ends
    the replica runs, and is healthy. Its pin is still in force then. One that a killed msctl had
    not let in yet looks the same, and is made anew too. A pin that leads to none of them is of
    another time: the engine was restarted, and gave out addresses anew.
    """
    view = state.gateway
    if view is None:
        return state
    left: set[str] = set()
    for service in {pin[0] for name in view.servers if (pin := parse_gateway_name(name))}:
        pinned = view.pinned(service) or {}
        healthy = [replica for replica in state.of(service) if replica.healthy]
        out = {replica.id for replica in healthy if url_of(replica) not in pinned}
        left |= out if len(out) < len(healthy) else set()
    found = (replace(replica, leaving=replica.id in left) for replica in state.containers)
    return replace(state, containers=tuple(found)) if left else state


def server_of(replica: Replica) -> Server | None:
    return Server.by_labels(replica.name, replica.service, replica.routing)


def servers_of(replicas: Iterable[Replica]) -> list[Server]:
    """The servers of those replicas that can take traffic."""
    found = [server_of(replica) for replica in replicas if replica.healthy]
    return [server for server in found if server is not None]


def url_of(replica: Replica) -> str | None:
    """The URL by which the gateway lists a replica that runs."""
    server = server_of(replica)
    address = replica.addresses.get(server.network) if server else None
    return f"http://{address}:{server.port}" if server and address else None
