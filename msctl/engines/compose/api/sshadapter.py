"""HTTP over ssh, for the Docker SDK.

What HTTP is spoken over is one end of a pair of sockets, so that timeouts and streams are those of
any other engine.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from typing import Any

import requests
import urllib3

from msctl.engines.compose.api.ssh import SshFault, command, explained

_ENDING = 5
"""Seconds that an ssh has to end, whose connection was closed from the other side."""


class _Connection(urllib3.connection.HTTPConnection):
    """HTTP through an ssh of its own."""

    def __init__(self, address: str, environ: Mapping[str, str]) -> None:
        super().__init__("localhost")
        self._address, self._environ = address, environ

    def connect(self) -> None:
        if sys.platform == "win32":
            raise SshFault("ssh:// cannot be had on Windows", "run msctl in WSL")
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # read when the connection ends
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    command(self._address),
                    env=dict(self._environ),
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    stderr=self._said,
                    start_new_session=True,  # Ctrl-C is for msctl, which may still have to ask
                )
            except FileNotFoundError:
                ours.close()
                hint = "install OpenSSH's client (package openssh-client)"
                raise SshFault("there is no command ssh here", hint) from None
        ours.settimeout(self.timeout)
        self.sock = ours

    def getresponse(self) -> Any:
        """Instead of a connection that has just ended, why it ended."""
        try:
            return super().getresponse()
        except ConnectionError:  # an end without an answer is one, too
            try:
                status: int | None = self._process.wait(_ENDING)
            except subprocess.TimeoutExpired:
                status = None
            self._said.seek(0)
            said = self._said.read().decode("utf-8", "replace")
            raise explained(status, said, self._address) from None


class _Pool(urllib3.HTTPConnectionPool):
    def __init__(self, address: str, environ: Mapping[str, str]) -> None:
        super().__init__("localhost", maxsize=4)
        self._address, self._environ = address, environ

    def _new_conn(self) -> Any:
        return _Connection(self._address, self._environ)


class SshAdapter(requests.adapters.HTTPAdapter):
    """Requests' way to one engine."""

    def __init__(self, address: str, environ: Mapping[str, str]) -> None:
        super().__init__()
        self._pool = _Pool(address, environ)

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> Any:
        return self._pool

    def request_url(self, request: Any, proxies: Any) -> str:  # noqa: ARG002
        return str(request.path_url)

    def close(self) -> None:
        self._pool.close()
        super().close()
