"""The engine by TCP with TLS, as `dockerd --tlsverify` has it."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

import trustme

from live.wire import ENGINE


class TlsWire:
    """A port of this machine that leads to the engine's socket, for those with a certificate."""

    def __init__(self, folder: Path, engine: str = ENGINE) -> None:
        self._engine = engine
        authority = trustme.CA()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.verify_mode = ssl.CERT_REQUIRED
        authority.configure_trust(context)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        client = authority.issue_cert("operator@example.org")
        authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        client.private_key_pem.write_to_path(str(folder / "key.pem"))
        client.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.address = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._lead, args=(near,), daemon=True).start()

    def _lead(self, raw: socket.socket) -> None:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as far:
            near = self._context.wrap_socket(raw, server_side=True)
            far.connect(self._engine)
            back = threading.Thread(target=self._carry, args=(far, near), daemon=True)
            back.start()
            self._carry(near, far)
            back.join(60)
            near.close()

    @staticmethod
    def _carry(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError, ValueError):
            while data := source.recv(65536):
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.close()
