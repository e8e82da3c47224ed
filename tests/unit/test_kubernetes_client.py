"""An API server whose answers trickle, or never end, holds nobody up."""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from msctl.engines.kubernetes.api import client as clients
from msctl.engines.kubernetes.api import lines as answers
from msctl.engines.kubernetes.api.client import Client
from msctl.errors import EngineUnreachable

HEAD = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n"
PATIENCE = 0.4


class Server:
    """Sends the same to whoever connects: the start at once, then `again` without an end."""

    def __init__(self, start: bytes, again: bytes, pause: float) -> None:
        self._start, self._again, self._pause = start, again, pause
        self.ended, self._listener = threading.Event(), socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        # Ends by a reset: an end in good order would be one of an answer that nobody waits for any
        # more, and closes.
        near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with near, suppress(OSError):
            near.recv(65536)
            near.sendall(self._start)
            while not self.ended.wait(self._pause):
                near.sendall(self._again)

    def client(self, folder: Path, warn: Callable[[str], None] = print) -> Client:
        host, port = self._listener.getsockname()
        config = {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": f"http://{host}:{port}"}}],
            "users": [{"name": "u", "user": {}}],
        }
        (folder / "config").write_text(json.dumps(config))
        return Client({"KUBECONFIG": str(folder / "config")}, warn=warn)

    def close(self) -> None:
        self.ended.set()
        self._listener.close()


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Server]]:
    """Those of a test; whole answers have little time, and are small."""
    monkeypatch.setattr(clients, "ANSWER_TIMEOUT", PATIENCE)
    monkeypatch.setattr(clients, "MOST_BYTES", 4 << 20)
    monkeypatch.setattr(answers, "LONGEST_LINE", 1 << 20)
    found: list[Server] = []
    yield found
    for server in found:
        server.close()


@pytest.mark.parametrize(
    "start",
    [b"HTTP/1.1 200 OK\r\nX: ", HEAD % b"200 OK", HEAD % b"503 Away"],
    ids=["its head", "its body", "its refusal"],
)
def test_an_answer_that_trickles_is_given_up(
    servers: list[Server], tmp_path: Path, start: bytes
) -> None:
    """As a whole, however steadily it comes; the error says so."""
    servers.append(Server(start, b" ", PATIENCE / 4))
    began = time.monotonic()
    with pytest.raises(EngineUnreachable, match=r"no whole answer within 0\.4 s"):
        servers[0].client(tmp_path).get("/api/v1/pods")
    assert time.monotonic() - began < 10


def test_who_waits_for_a_cluster_is_told_so_once(
    servers: list[Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it is given up, and where it is."""
    monkeypatch.setattr(clients, "LATE", PATIENCE / 8)
    servers.append(Server(b"HTTP/1.1 200 OK\r\nX: ", b" ", PATIENCE / 4))
    told: list[str] = []
    client = servers[0].client(tmp_path, told.append)
    for _ in range(2):
        with pytest.raises(EngineUnreachable):
            client.get("/api/v1/pods")
    assert told == [
        f"the Kubernetes API at {client.address} has not answered for {PATIENCE / 8} s; msctl "
        "waits up to 30 s"
    ]


def test_the_head_of_an_answer_that_goes_on_is_waited_for_as_long(
    servers: list[Server], tmp_path: Path
) -> None:
    """What follows may take its time."""
    servers.append(Server(b"HTTP/1.1 200 OK\r\nX: ", b" ", PATIENCE / 4))
    with pytest.raises(EngineUnreachable, match="no whole answer"):
        servers[0].client(tmp_path).lines("/api/v1/pods", {"watch": "true"})


def test_an_answer_without_an_end_is_not_kept(servers: list[Server], tmp_path: Path) -> None:
    """It would fill the memory before its time is over."""
    start = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    servers.append(Server(start, b" " * (1 << 20), 0))
    with pytest.raises(EngineUnreachable, match="an answer of more than 4 MiB"):
        servers[0].client(tmp_path).text("/logs", {})


def test_a_line_without_an_end_comes_in_parts(servers: list[Server], tmp_path: Path) -> None:
    """Of a log that is followed."""
    start = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    servers.append(Server(start, b"x" * (1 << 18), 0))
    lines = servers[0].client(tmp_path).lines("/logs", {"follow": "true"})
    parts = iter(lines)
    assert {len(next(parts)) < 3 << 20 for _ in range(3)} == {True}
    lines.close()


@pytest.mark.parametrize(
    ("kind", "why"), [("pipe", "not a regular file"), ("huge", "larger than 1 MiB")]
)
def test_what_is_no_kubeconfig_is_not_read(tmp_path: Path, kind: str, why: str) -> None:
    """A pipe would never end, and a file of many megabytes takes minutes."""
    path = tmp_path / "config"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.write_bytes(b"x" * (1 << 20) + b"x")
    with pytest.raises(EngineUnreachable, match=f"is no kubeconfig: it is {why}"):
        Client({"KUBECONFIG": str(path)})
