"""HTTP over a socket: connections that are kept, and answers that do not come."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from msctl.engines.compose.api.client import Client, EngineFault
from msctl.engines.compose.api.wire import Limits, Unanswered, Wire
from msctl.errors import EngineUnreachable

Serve = Callable[[socket.socket, int], None]
"""What one connection does, by its number."""


class Server:
    """Listens at a socket; each connection is served in a thread."""

    def __init__(self, path: Path, serve: Serve) -> None:
        self.path, self.connections = str(path), 0
        self._serve = serve
        self._open: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self.connections += 1
                self._open.append(near)
                args = (near, self.connections)
                threading.Thread(target=self._run, args=args, daemon=True).start()

    def _run(self, near: socket.socket, number: int) -> None:
        with suppress(OSError):
            self._serve(near, number)

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for one in (self._listener, *self._open):
            one.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Callable[[Serve], Server]]:
    """Makes a server of what a connection does."""
    servers: list[Server] = []

    def make(serve: Serve) -> Server:
        servers.append(Server(tmp_path / "e.sock", serve))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


def whole(status: int, content: str) -> bytes:
    head = f"HTTP/1.1 {status} Any\r\nContent-Length: {len(content)}\r\n\r\n"
    return (head + content).encode()


def polite(near: socket.socket, _: int) -> None:
    while near.recv(65536):
        near.sendall(whole(200, "{}"))


def curt(near: socket.socket, _: int) -> None:
    """Hangs up after an answer, without having said so."""
    near.recv(65536)
    near.sendall(whole(200, "{}"))
    near.shutdown(socket.SHUT_RDWR)


def test_a_connection_is_kept(served: Callable[[Serve], Server]) -> None:
    """Call after call goes through one."""
    server = served(polite)
    wire = Wire(server.path)
    for _ in range(3):
        assert wire.ask("GET", "/info", Limits(5, 5)).content == b"{}"
    assert server.connections == 1


def test_a_connection_that_ended_is_not_used_again(served: Callable[[Serve], Server]) -> None:
    """An engine that was started anew has hung up."""
    server = served(curt)
    wire = Wire(server.path)
    for _ in range(3):
        assert wire.ask("DELETE", "/x", Limits(5, 5)).status == 200
        time.sleep(0.05)
    assert server.connections == 3


def test_an_answer_that_trickles_is_given_up(served: Callable[[Serve], Server]) -> None:
    """Each byte comes in time, and the whole does not."""

    def trickle(near: socket.socket, _: int) -> None:
        near.recv(65536)
        near.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            near.sendall(b"x")
            time.sleep(0.05)

    wire, began = Wire(served(trickle).path), time.monotonic()
    with pytest.raises(Unanswered) as caught:
        wire.ask("GET", "/info", Limits(5, 0.3))
    assert "no whole answer within 0.3 s" in str(caught.value.__cause__)
    assert time.monotonic() - began < 3


def test_a_stream_ends_for_its_reader_when_another_thread_closes_it(
    served: Callable[[Serve], Server],
) -> None:
    """The reader waits for an event that does not come."""
    line = b'{"Action": "start"}\n'

    def events(near: socket.socket, _: int) -> None:
        asked = near.recv(65536)
        if b"/version" in asked:
            near.sendall(whole(200, '{"ApiVersion": "1.41"}'))
            asked = near.recv(65536)
        if b"/events" in asked:
            near.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            near.sendall(b"%x\r\n%s\r\n" % (len(line), line))
            near.recv(1)

    client = Client({"DOCKER_HOST": f"unix://{served(events).path}"})
    stream = client.open_stream(lambda api: api.events(filters={"event": ["start"]}, decode=True))
    found = iter(stream)
    assert next(found) == {"Action": "start"}
    threading.Timer(0.2, stream.close).start()
    assert list(found) == []


def test_a_stream_that_breaks_off_is_told(served: Callable[[Serve], Server]) -> None:
    """It is no end: whoever follows it has to come again."""

    def events(near: socket.socket, _: int) -> None:
        if b"/version" in near.recv(65536):
            near.sendall(whole(200, '{"ApiVersion": "1.41"}'))
            near.recv(65536)
        near.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        near.shutdown(socket.SHUT_RDWR)

    client = Client({"DOCKER_HOST": f"unix://{served(events).path}"})
    stream = client.open_stream(lambda api: api.events(filters={}, decode=True))
    with pytest.raises(EngineUnreachable):
        list(stream)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (json.dumps({"message": "no such container"}), "no such container"),
        ("page not found", "page not found"),
        ("[]", "[]"),
        ("", "the engine answers 404"),
    ],
)
def test_a_refusal_is_told_in_the_words_of_the_engine(
    served: Callable[[Serve], Server], content: str, told: str
) -> None:
    """However they come."""

    def refuse(near: socket.socket, _: int) -> None:
        while asked := near.recv(65536):
            version = b"/version" in asked
            near.sendall(whole(200, '{"ApiVersion": "1.41"}') if version else whole(404, content))

    client = Client({"DOCKER_HOST": f"unix://{served(refuse).path}"})
    with pytest.raises(EngineFault) as caught:
        client.call(lambda api: api.inspect_container("web/1"))
    assert (caught.value.message, caught.value.status) == (told, 404)
