"""Looks a name up, for no longer than somebody has time: the system itself tries for 10 s and
longer where no resolver answers."""

from __future__ import annotations

import ipaddress
import socket
import threading
from contextlib import suppress


def is_answered(host: str, seconds: float) -> bool:
    """Whether the resolver has answered in this time, be it that there is no such name."""
    if _is_address(host):
        return True
    lookup = threading.Thread(target=_look_up, args=(host,), daemon=True)
    lookup.start()
    lookup.join(seconds)
    return not lookup.is_alive()


def _look_up(host: str) -> None:
    with suppress(OSError, UnicodeError):  # whoever connects then is told
        socket.getaddrinfo(host, None)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
