"""HTTP to an engine's socket, by Python's own client.

Most of what msctl asks goes this way: the Docker SDK, with requests below it, takes three times as
many instructions for a call (2.8 M), and five times as many to load (440 M).
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any, NamedTuple


class Unanswered(Exception):
    """The engine did not answer, or not to the end; the cause is the reason."""


class Limits(NamedTuple):
    """How long an answer may take."""

    byte: float | None
    """Seconds for each byte of it; None: any time."""
    whole: float | None = None
    """Seconds for all of it."""


class Answer(NamedTuple):
    """A whole answer."""

    status: int
    content: bytes


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except (OSError, HTTPException) as error:
        raise Unanswered from error


class _Timed(socket.socket):
    """Every read ends with the time for the whole answer, too."""

    limits = Limits(None)
    end: float | None = None

    def allow(self, limits: Limits) -> None:
        self.limits = limits
        self.end = None if limits.whole is None else time.monotonic() + limits.whole
        self.settimeout(limits.byte)

    def recv_into(self, *args: Any) -> int:
        if self.end is None:
            return super().recv_into(*args)
        left, byte = self.end - time.monotonic(), self.limits.byte
        try:
            if left > 0:
                self.settimeout(left if byte is None else min(byte, left))
                return super().recv_into(*args)
        except TimeoutError:
            if time.monotonic() < self.end:
                raise
        raise TimeoutError(f"no whole answer within {self.limits.whole:g} s")

    def __del__(self) -> None:
        self.close()


class _Connection(HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path
        self.sock: _Timed | None = None
        self.made: _Timed | None = None
        """The socket; `sock` is forgotten where no other answer can follow."""

    def connect(self) -> None:
        made = _Timed(socket.AF_UNIX, socket.SOCK_STREAM)
        made.settimeout(self.timeout)
        try:
            made.connect(self._path)
        except BaseException:
            made.close()
            raise
        self.sock = self.made = made

    def is_open(self) -> bool:
        """Whether the other side has not hung up since the last answer."""
        if self.sock is None:
            return False
        self.sock.setblocking(False)
        try:
            self.sock.recv(1, socket.MSG_PEEK)
        except OSError as error:
            return isinstance(error, BlockingIOError)
        return False  # an end, or what nobody has asked for

    def begin(
        self, method: str, path: str, content: bytes | None, kind: str | None, limits: Limits
    ) -> HTTPResponse:
        """Ask; the answer's head is there."""
        if self.sock is None:
            self.timeout = limits.byte
            self.connect()
        assert self.sock is not None
        self.sock.allow(limits)
        self.request(method, path, content, {"Content-Type": kind} if kind else {})
        return self.getresponse()


class Wire:
    """One socket's connections; used by several threads at once."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._idle: list[_Connection] = []

    def ask(
        self,
        method: str,
        path: str,
        limits: Limits,
        content: bytes | None = None,
        kind: str | None = None,
    ) -> Answer:
        """The whole answer, whatever its status.

        Raises:
            Unanswered: there was none in time.
        """
        connection = self._connection()
        with _faults():
            try:
                answer = connection.begin(method, path, content, kind, limits)
                found = Answer(answer.status, answer.read())
            except BaseException:
                connection.close()
                raise
        if connection.sock is not None:  # else the engine hangs up after this answer
            self._idle.append(connection)
        return found

    def open(
        self, path: str, limits: Limits, content: bytes | None = None, kind: str | None = None
    ) -> Opened:
        """An answer that is read as it comes, to a GET or, with content, a POST.

        Raises:
            Unanswered: there was none in time.
        """
        connection = _Connection(self._path)
        with _faults():
            try:
                method = "GET" if content is None else "POST"
                answer = connection.begin(method, path, content, kind, limits)
                return Opened(connection, answer)
            except BaseException:
                connection.close()
                raise

    def _connection(self) -> _Connection:
        while True:
            try:
                found = self._idle.pop()
            except IndexError:
                return _Connection(self._path)
            if found.is_open():
                return found
            found.close()


class Opened:
    """An answer under way, of a connection of its own; any thread may close it."""

    def __init__(self, connection: _Connection, answer: HTTPResponse) -> None:
        self._socket = connection.made
        self._connection, self._answer = connection, answer
        self.status = answer.status

    def read(self) -> bytes:
        """What is left of it."""
        with _faults():
            return self._answer.read()

    def parts(self) -> Iterator[bytes]:
        """It, as it comes; closed at the end.

        Raises:
            Unanswered: it broke off.
        """
        try:
            while True:
                with _faults():
                    part = self._answer.read1(65536)
                if not part:
                    return
                yield part
        finally:
            self.close()

    def lines(self) -> Iterator[bytes]:
        """Its lines, as they come.

        Raises:
            Unanswered: it broke off.
        """
        rest = b""
        for part in self.parts():
            *lines, rest = (rest + part).split(b"\n")
            yield from lines

    def close(self) -> None:
        """Whoever reads in another thread gets to an end."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        self._connection.close()
