"""An open-loop load: requests start on time, whatever became of the ones before.

Everything that is not the expected answer counts as lost or misrouted.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import httpx

MOST_AT_ONCE = 300
"""Requests of one kind under way, at the most."""
Expectation = Callable[[dict[str, Any]], bool]


@dataclass(frozen=True)
class Requests:
    """One kind of request to a sample service."""

    url: str
    rate: float
    """Requests a second."""
    expect: Expectation
    """Whether the echo is the one that was asked for."""
    method: str = "GET"
    delay_ms: int = 50
    """How long the service takes for each."""


def echo(service: str, path: str) -> Expectation:
    """The answer of that service, asked for that path."""
    return lambda answer: (answer["service"], answer["path"]) == (service, path)


@dataclass
class Result:
    """What became of the requests of one kind."""

    sent: int = 0
    lost: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return f"{self.lost.total()} of {self.sent} lost {dict(self.lost)}"


class Load:
    """A load in a thread of its own, from the start of `with` to its end."""

    def __init__(self, *kinds: Requests, timeout: float = 10.0) -> None:
        self.kinds = kinds
        self.results = [Result() for _ in kinds]
        self._timeout = timeout
        self._begun, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self) -> Load:
        self._thread.start()
        assert self._begun.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: object, __: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=self._timeout + 120)
        assert kind is not None or not self._thread.is_alive(), "the load did not end"

    @property
    def lost(self) -> int:
        return sum(result.lost.total() for result in self.results)

    @property
    def sent(self) -> int:
        return sum(result.sent for result in self.results)

    def __str__(self) -> str:
        rows = zip(self.kinds, self.results, strict=True)
        return "; ".join(f"{kind.method} {kind.url}: {result}" for kind, result in rows)

    async def _run(self) -> None:
        limits = httpx.Limits(max_connections=2000, max_keepalive_connections=200)
        async with httpx.AsyncClient(
            timeout=self._timeout, limits=limits, trust_env=False
        ) as client:
            rows = zip(self.kinds, self.results, strict=True)
            await asyncio.gather(*(self._send(client, kind, result) for kind, result in rows))

    async def _send(self, client: httpx.AsyncClient, kind: Requests, result: Result) -> None:
        began, tasks = time.monotonic(), set()
        while not self._stop.is_set():
            due = began + result.sent / kind.rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            while len(tasks) >= MOST_AT_ONCE:  # a machine that cannot keep up is not buried
                await asyncio.sleep(0.01)
            result.sent += 1
            task = asyncio.create_task(self._one(client, kind, result))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            self._begun.set()
        await asyncio.gather(*tasks)

    async def _one(self, client: httpx.AsyncClient, kind: Requests, result: Result) -> None:
        try:
            answer = await client.request(kind.method, kind.url, params={"delay_ms": kind.delay_ms})
        except httpx.HTTPError as error:
            result.lost[type(error).__name__] += 1
            return
        if answer.status_code != 200:
            result.lost[str(answer.status_code)] += 1
        elif not kind.expect(answer.json()):
            result.lost["misrouted"] += 1
