"""Ports of this machine that nobody uses."""

from __future__ import annotations

import random
import socket

_FROM, _TO = 20_000, 32_000  # below what the system and the engine hand out by themselves
_given: set[int] = set()


def free_port() -> int:
    """A port that is free on all addresses, and was not given before."""
    while True:
        port = random.randint(_FROM, _TO)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True
