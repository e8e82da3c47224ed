"""The server's HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apiserver.server import ApiServer


class Handler(BaseHTTPRequestHandler):
    """One request."""

    api: ApiServer
    protocol_version = "HTTP/1.1"
    timeout = 10
    disable_nagle_algorithm = True
    """Else each answer's body waits for the client's delayed acknowledgement of its head."""

    def do_GET(self) -> None:
        if "watch=true" in self.path:
            self._stream(self.api.watch(self.path, self.headers))
        elif "follow=true" in self.path:
            self._stream(self.api.follow(self.path, self.headers))
        else:
            self._answer()

    def _stream(self, found: Iterator[str] | tuple[int, str, str]) -> None:
        """A line for each event, until somebody ends it."""
        if isinstance(found, tuple):
            self._send(*found)
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for line in found:
                data = f"{line}\n".encode()
                self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True

    def do_PATCH(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._send(*self.api.answer(self.command, self.path, self.headers, body))

    def _send(self, code: int, kind: str, text: str) -> None:
        data = text.encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if code == 429:
            self.send_header("Retry-After", "1")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nothing."""
