"""WebSockets that send and want their echo; one that is closed is opened again at once."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field

import aiohttp

from load.clients import TIMEOUT, Result

PAUSE = 0.5
"""Seconds between two messages on one connection."""
ANSWER = 10.0
"""Seconds after which an echo counts as lost."""


@dataclass
class Sockets:
    """So many connections at a time."""

    url: str
    count: int
    result: Result = field(default_factory=Result)

    def __str__(self) -> str:
        return f"{self.count} WebSockets at {self.url}: {self.result}"

    async def run(self, stop: threading.Event) -> None:
        async with aiohttp.ClientSession(timeout=TIMEOUT) as client:
            await asyncio.gather(*(self._keep(client, stop) for _ in range(self.count)))

    async def _keep(self, client: aiohttp.ClientSession, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                async with client.ws_connect(self.url) as socket:
                    await self._talk(socket, stop)
            except aiohttp.WSServerHandshakeError as error:
                self.result.lost[f"handshake {error.status}"] += 1
                await asyncio.sleep(PAUSE)
            except (aiohttp.ClientError, TimeoutError) as error:
                self.result.lost[type(error).__name__] += 1
                await asyncio.sleep(PAUSE)

    async def _talk(self, socket: aiohttp.ClientWebSocketResponse, stop: threading.Event) -> None:
        """Until it is closed, by the replica that stops or by whom it may be."""
        at = str((await socket.receive_json(timeout=ANSWER))["replica"])
        while not stop.is_set():
            self.result.sent += 1
            message = f"hello {self.result.sent}"
            try:
                await socket.send_str(message)
                answer = await socket.receive(timeout=ANSWER)
            except ConnectionResetError:
                self.result.left.add(at)
                return
            if answer.type is not aiohttp.WSMsgType.TEXT:
                self.result.left.add(at)
                return
            if answer.data != message:
                self.result.lost["another answer"] += 1
            await asyncio.sleep(PAUSE)
