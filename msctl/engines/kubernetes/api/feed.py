"""Tells that something in a list has changed, by a watch; whoever hears of it looks by himself.

So that nothing is decided by what a watch has missed. Where one may not watch, or the server is
away, nothing is told: those who look do so from time to time anyway.

https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from msctl.engines.kubernetes.api.client import Client
from msctl.engines.kubernetes.api.faults import Refused
from msctl.engines.kubernetes.api.lines import Lines
from msctl.errors import MsctlError

LASTS = 240
"""Seconds after which the server ends a watch, and another one begins."""
PAUSE = 1.0
"""Seconds between two watches; a server that ends each at once is not overrun."""


class Feed:
    """A watch in a thread of its own, until it is closed."""

    def __init__(self, client: Client, path: str, selector: str, changed: Callable[[], None]):
        self._client = client
        self._path = path
        self._query = {"labelSelector": selector, "watch": "true", "timeoutSeconds": str(LASTS)}
        self._changed = changed
        self._closed = threading.Event()
        self._stream: Lines | None = None

    def start(self) -> Feed:
        threading.Thread(target=self._run, name="msctl-watch", daemon=True).start()
        return self

    def close(self) -> None:
        self._closed.set()
        if self._stream is not None:
            self._stream.close()

    def _run(self) -> None:
        """A watch from now on begins with what there is, so that nothing between two is missed."""
        while not self._closed.is_set():
            try:
                self._stream = self._client.lines(self._path, self._query)
            except Refused as refused:
                if refused.status < 500:
                    return
            except MsctlError:
                pass  # whoever looks will find it out
            else:
                self._tell(self._stream)
            self._closed.wait(PAUSE)

    def _tell(self, stream: Lines) -> None:
        for _ in stream:
            if self._closed.is_set():
                return
            self._changed()
        self._changed()
