"""Lanes: the requests of an open loop, each on the first connection that is free."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from math import inf

MOST_OPENING = 4
"""Connections that are being opened at once."""


class Lanes:
    """Hands each request to a free lane; a lane has one connection.

    A new lane begins where none is free, but only a few at a time: TLS handshakes cost more than
    requests, and a slow moment in which every request opens a connection of its own would never
    end (seen with 300 requests/s on two cores). What waits for a lane is late, and its latency
    says so.
    """

    def __init__(
        self,
        group: asyncio.TaskGroup,
        one: Callable[[int, float], Awaitable[None]],
        most: int,
    ) -> None:
        self._group, self._one, self._most = group, one, most
        self._waiting: deque[tuple[int, float]] = deque()
        self._lanes: set[asyncio.Task[None]] = set()
        self._free: deque[asyncio.Future[None]] = deque()
        self._opening: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    def add(self, number: int, due: float) -> None:
        """A request that is due now."""
        self._waiting.append((number, due))
        self._idle.clear()
        self._serve()

    async def end(self, seconds: float) -> None:
        """Wait until every request has ended, and close the lanes. What has not started after so
        many seconds is dropped."""
        try:
            async with asyncio.timeout(seconds if seconds < inf else None):
                await self._idle.wait()
        except TimeoutError:
            self._waiting.clear()
            await self._idle.wait()
        for lane in self._lanes:
            lane.cancel()

    def opened(self) -> None:
        """The lane that runs has its connection, or needs none for now."""
        lane = asyncio.current_task()
        if lane in self._opening:
            self._opening.discard(lane)
            if self._waiting:
                self._serve()

    def _serve(self) -> None:
        if self._free:
            self._free.popleft().set_result(None)
        elif len(self._opening) < MOST_OPENING and len(self._lanes) < self._most:
            lane = self._group.create_task(self._lane())
            self._lanes.add(lane)
            self._opening.add(lane)

    async def _lane(self) -> None:
        """One request after the other; the first of them opens the connection."""
        while True:
            while self._waiting:
                await self._one(*self._waiting.popleft())
                self.opened()
            self.opened()
            free = asyncio.get_running_loop().create_future()
            self._free.append(free)
            if len(self._free) == len(self._lanes):
                self._idle.set()
            await free
