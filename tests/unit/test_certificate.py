"""The certificate that a server shows."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from msctl.tls.shown import certificate_of


@contextmanager
def served(context: ssl.SSLContext | None) -> Iterator[int]:
    """A server that shakes hands (without a context: one that hangs up) until the end; its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                plain, _ = listener.accept()
                with plain, suppress(OSError):
                    if context is not None:
                        context.wrap_socket(plain, server_side=True).close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=5)


def context(authority: trustme.CA, expires: datetime) -> ssl.SSLContext:
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued = authority.issue_cert(
        "shop.test", not_before=expires - timedelta(400), not_after=expires
    )
    issued.configure_cert(found)
    return found


@pytest.mark.parametrize("chain", ["a root", "an intermediate"])
def test_the_end_of_a_certificate_is_told(chain: str) -> None:
    """Whoever signed it: nothing of it has to be trusted."""
    authority = trustme.CA()
    if chain == "an intermediate":
        authority = authority.create_child_ca()
    expires = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
    with served(context(authority, expires)) as port:
        found = certificate_of("127.0.0.1", port, "shop.test")
    assert found is not None
    assert (found.expires, found.expired) == (expires, False)


def test_an_expired_certificate_is_told() -> None:
    """When it ended is not known, but that it did."""
    expires = datetime.now(UTC) - timedelta(days=1)
    with served(context(trustme.CA(), expires)) as port:
        found = certificate_of("127.0.0.1", port, "shop.test")
    assert found is not None
    assert (found.expires, found.expired) == (None, True)


def test_where_nobody_shows_one_nothing_is_known() -> None:
    """A port that nobody listens at, or where no TLS is spoken."""
    with served(None) as port:
        assert certificate_of("127.0.0.1", port, "shop.test") is None
    assert certificate_of("127.0.0.1", port, "shop.test") is None
