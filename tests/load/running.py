"""Runs clients beside a test."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from types import TracebackType

from load.clients import Clients

ENDING = 120.0
"""Seconds that the last answers may take."""


class Load:
    """Clients in a thread of their own, from the start of `with` to its end."""

    def __init__(self, *clients: Clients, enter: Callable[[], None] | None = None) -> None:
        """`enter` brings the load's thread to where it shall run."""
        self.clients = clients
        self._enter = enter
        self._begun, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._thread_body, daemon=True)
        self._error: BaseException | None = None

    def __enter__(self) -> Load:
        self._thread.start()
        assert self._begun.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: object, __: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=ENDING)
        if kind is None:
            assert not self._thread.is_alive(), "the load did not end"
            if self._error is not None:
                raise self._error

    @property
    def lost(self) -> int:
        return sum(clients.result.lost.total() for clients in self.clients)

    @property
    def sent(self) -> int:
        return sum(clients.result.sent for clients in self.clients)

    @property
    def left(self) -> set[str]:
        """Replicas that a session or a WebSocket was led away from."""
        return set().union(*(clients.result.left for clients in self.clients))

    def __str__(self) -> str:
        return "; ".join(str(clients) for clients in self.clients)

    def _thread_body(self) -> None:
        try:
            if self._enter is not None:
                self._enter()
            asyncio.run(self._run())
        except BaseException as error:
            self._error = error
            self._begun.set()

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for clients in self.clients:
                group.create_task(clients.run(self._stop))
            self._begun.set()
