"""Who holds the host ports that a stack wants to publish."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable, Mapping
from typing import Any

from msctl.engines.compose import labels
from msctl.engines.compose.api.client import Client
from msctl.state import HostPort, overlap


def busy_ports(client: Client, project: str, wanted: Iterable[HostPort]) -> dict[HostPort, str]:
    """The wanted ports that somebody outside the project holds, and who.

    Containers of every project are asked on any engine; processes only on this machine's.
    """
    rows = client.call(lambda api: api.containers())
    ours = [row for row in rows if (row["Labels"] or {}).get(labels.PROJECT) == project]
    own = {port for row in ours for port in published(row)}
    others = {
        port: f"container {row['Names'][0].lstrip('/')}"
        for row in rows
        if row not in ours
        for port in published(row)
    }
    found: dict[HostPort, str] = {}
    for port in wanted:
        holder = next((who for other, who in others.items() if overlap(port, other)), None)
        if holder is None and client.local and not any(overlap(port, p) for p in own):
            holder = _process(port)
        if holder is not None:
            found[port] = holder
    return found


def published(row: Mapping[str, Any]) -> list[HostPort]:
    """The ports of the host that a container publishes, of its row in the engine's list."""
    everywhere = (None, "0.0.0.0", "::")
    return [
        ("" if port.get("IP") in everywhere else port["IP"], port["PublicPort"], port["Type"])
        for port in row.get("Ports") or ()
        if port.get("PublicPort")
    ]


def _process(port: HostPort) -> str | None:
    """The process that keeps us from binding a port, if one does."""
    host, number, protocol = port
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return None  # not ours to bind, or not an address of this machine: no proof
            return _owner(number, protocol)
    return None


def _owner(number: int, protocol: str) -> str:
    import psutil  # for a port that is taken, not for every `up`

    try:
        connections = psutil.net_connections("udp" if protocol == "udp" else "tcp")
    except psutil.AccessDenied:
        return "another process"
    for connection in connections:
        listening = connection.status in (psutil.CONN_LISTEN, psutil.CONN_NONE)
        if listening and connection.laddr and connection.laddr.port == number and connection.pid:
            try:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
            except psutil.NoSuchProcess:
                break
    return "another process"
