"""An open loop of requests: they start on time, whatever became of the ones before."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from load.clients import TIMEOUT, Result

MOST_AT_ONCE = 600
"""Requests of one kind under way, at the most: a machine that cannot keep up is not buried."""
Expectation = Callable[[dict[str, Any]], bool]


def echo(service: str, path: str) -> Expectation:
    """The answer of that service, asked for that path."""
    return lambda answer: (answer["service"], answer["path"]) == (service, path)


@dataclass
class Requests:
    """Clients that nobody knows, each with one request to a sample service."""

    url: str
    rate: float
    """Requests a second."""
    expect: Expectation
    """Whether the echo is the one that was asked for."""
    method: str = "GET"
    delay_ms: int = 50
    """How long the service takes for each."""
    result: Result = field(default_factory=Result)
    seconds: float = 0.0
    """How long requests were sent for."""
    lags: list[float] = field(default_factory=list)
    """Seconds that answers took beyond what the service takes for each."""

    def __str__(self) -> str:
        return (
            f"{self.method} {self.url}: {self.result}, {self.held:.1%} of {self.rate:g}/s held,"
            f" 95% within {self.lag * 1000:.0f} ms beyond {self.delay_ms} ms"
        )

    @property
    def held(self) -> float:
        """The share of the rate that was reached, 0 to 1."""
        return self.result.sent / (self.rate * self.seconds) if self.seconds else 0.0

    @property
    def lag(self) -> float:
        """95 of 100 answers came that many seconds late, or sooner."""
        return sorted(self.lags)[int(len(self.lags) * 0.95)] if self.lags else 0.0

    async def run(self, stop: threading.Event) -> None:
        began, tasks = time.monotonic(), set[asyncio.Task[None]]()
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(
            connector=connector, timeout=TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()
        ) as client:
            while not stop.is_set():
                due = began + self.result.sent / self.rate
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                while len(tasks) >= MOST_AT_ONCE:
                    await asyncio.sleep(0.01)
                self.result.sent += 1
                task = asyncio.create_task(self._one(client))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            self.seconds = time.monotonic() - began
            await asyncio.gather(*tasks)

    async def _one(self, client: aiohttp.ClientSession) -> None:
        parameters, began = {"delay_ms": self.delay_ms}, time.monotonic()
        try:
            async with client.request(self.method, self.url, params=parameters) as answer:
                if answer.status != 200:
                    self.result.lost[str(answer.status)] += 1
                elif not self.expect(await answer.json()):
                    self.result.lost["misrouted"] += 1
                self.lags.append(time.monotonic() - began - self.delay_ms / 1000)
        except (aiohttp.ClientError, TimeoutError) as error:
            self.result.lost[type(error).__name__] += 1
