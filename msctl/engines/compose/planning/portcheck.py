"""Whether the host ports that services publish can be had, told before anything is created."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter

from msctl.engines.compose.desired import Desired
from msctl.engines.compose.planning.compare import is_foreign
from msctl.errors import MsctlError
from msctl.model import GATEWAY
from msctl.request import Up
from msctl.state import HostPort, Replica, StackState, overlap


def check_ports(whole: Desired, state: StackState, request: Up) -> None:
    """Refuse where somebody holds a port, and goes on holding it.

    Raises:
        MsctlError: who that is, and what to type.
    """
    waited = ports_first(whole, moves_of(whole, state))
    for name, revision in whole.revisions.items():
        if name not in (request.services or whole.names):
            continue
        for port in revision.service.get("ports") or ():
            key = port_key(port)
            stays = "stop it, or choose another port in the stack file"
            if holder := state.busy_ports.get(key):
                raise _taken(name, key, holder, stays)
            for replica in _holders(state, port):
                _check_holder(whole, request, name, key, replica, waited.get(name, ()))


def _check_holder(
    whole: Desired, request: Up, name: str, key: str, holder: Replica, waited: Container[str]
) -> None:
    """Refuse where a container of the project keeps a service from its port; `waited`: whose go
    before the service starts."""
    who = f"container {holder.name}"
    if holder.oneoff:
        raise _taken(name, key, f"{who}, a one-off one", f"docker rm -f {holder.name} removes it")
    if is_foreign(holder, whole):
        if not request.remove_orphans or request.services:
            who = f"{who}, which is in the project but neither made by msctl nor in the file"
            way = "msctl up --remove-orphans removes it"
            raise _taken(name, key, who, f"{way}, docker stop {holder.name} stops it")
    elif holder.service == name:
        return
    elif request.services and holder.service not in request.services:
        way = f"msctl up {name} {holder.service} updates both"
        if holder.service not in whole.names:
            way = "msctl up, without a service, removes what left the file"
        raise _taken(name, key, who, way)
    elif holder.service in whole.names and holder.service not in waited:
        way = f"docker stop {holder.name} frees it, and then: msctl up"
        raise _taken(name, key, f"{who}, which has to wait for {name}", way)


def ports_first(whole: Desired, moves: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """The moves of a host port from one service to another, as what the second has to wait for;
    those left out that cannot be waited for: the first one needs the second, or is led to by it."""
    found: dict[str, set[str]] = {}
    for giver, taker in moves:
        taken = {name: {*whole.needs(name), *found.get(name, ())} for name in whole.names}
        taken[taker].add(giver)
        for name in whole.names:
            if whole.has_gateway and name != GATEWAY and whole.revisions[name].is_routed:
                taken[name].add(GATEWAY)
        with suppress(CycleError):
            TopologicalSorter(taken).prepare()
            found.setdefault(taker, set()).add(giver)
    return found


def moves_of(whole: Desired, state: StackState) -> Iterator[tuple[str, str]]:
    """From which service of the file to which other one a host port goes."""
    for name, revision in whole.revisions.items():
        for port in revision.service.get("ports") or ():
            for replica in _holders(state, port):
                if replica.service in whole.names and replica.service != name:
                    yield replica.service, name


def _holders(state: StackState, port: Mapping[str, object]) -> list[Replica]:
    """The containers of the project that publish a port."""
    wanted = _host_port(port)
    return [one for one in state.containers if any(overlap(wanted, held) for held in one.ports)]


def _taken(name: str, key: str, holder: str, way: str) -> MsctlError:
    message = f"{name} publishes port {key}, which is taken by {holder}"
    return MsctlError(message, hint=f"nothing was changed; {way}")


def _host_port(port: Mapping[str, object]) -> HostPort:
    published = str(port.get("published") or "")
    number = int(published) if published.isdecimal() else 0
    host = str(port.get("host_ip") or "")
    return ("" if host in ("0.0.0.0", "::") else host, number, str(port.get("protocol")))


def port_key(port: Mapping[str, object]) -> str:
    """A published port of a normalised service: `[HOST:]PORT/PROTOCOL`."""
    host = port.get("host_ip")
    return f"{host}:" * bool(host) + f"{port.get('published')}/{port.get('protocol')}"
