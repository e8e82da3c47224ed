"""Clients that keep their cookies, and so have a session at one replica."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field

import aiohttp

from load.clients import TIMEOUT, Result

PAUSE = 0.5
"""Seconds between two requests of one client."""


@dataclass
class Sessions:
    """So many clients, each with a cookie jar of its own."""

    url: str
    count: int
    result: Result = field(default_factory=Result)

    def __str__(self) -> str:
        return f"{self.count} sessions at {self.url}: {self.result}"

    async def run(self, stop: threading.Event) -> None:
        await asyncio.gather(*(self._client(number, stop) for number in range(self.count)))

    async def _client(self, number: int, stop: threading.Event) -> None:
        await asyncio.sleep(PAUSE * number / self.count)
        jar = aiohttp.CookieJar(unsafe=True)  # for addresses too
        at: str | None = None
        async with aiohttp.ClientSession(timeout=TIMEOUT, cookie_jar=jar) as client:
            while not stop.is_set():
                found = await self._ask(client)
                if found and at and found != at:
                    self.result.left.add(at)
                at = found or at
                await asyncio.sleep(PAUSE)

    async def _ask(self, client: aiohttp.ClientSession) -> str | None:
        """The replica that answered."""
        self.result.sent += 1
        try:
            async with client.get(self.url) as answer:
                if answer.status == 200:
                    return str((await answer.json())["replica"])
                self.result.lost[str(answer.status)] += 1
        except (aiohttp.ClientError, TimeoutError) as error:
            self.result.lost[type(error).__name__] += 1
        return None
