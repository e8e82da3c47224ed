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

import httpx


@dataclass(frozen=True)
class Requests:
    """One kind of request."""

    url: str
    rate: float
    """Requests a second."""
    method: str = "GET"
    delay_ms: int = 50
    """How long the sample service takes for each."""
    expect: Callable[[httpx.Response], bool] = lambda answer: answer.status_code == 200


@dataclass
class Result:
    """What became of the requests of a load."""

    sent: int = 0
    answered: int = 0
    lost: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return f"{sum(self.lost.values())} of {self.sent} lost {dict(self.lost)}"


class Load:
    """A load in a thread of its own, from `with` to its end."""

    def __init__(self, *kinds: Requests, timeout: float = 10.0) -> None:
        self.kinds = kinds
        self.results = [Result() for _ in kinds]
        self._timeout = timeout
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=self._timeout + 30)

    @property
    def lost(self) -> int:
        return sum(sum(result.lost.values()) for result in self.results)

    @property
    def sent(self) -> int:
        return sum(result.sent for result in self.results)

    async def _run(self) -> None:
        limits = httpx.Limits(max_connections=2000, max_keepalive_connections=200)
        async with httpx.AsyncClient(
            verify=False, timeout=self._timeout, limits=limits, trust_env=False
        ) as client:
            await asyncio.gather(
                *(
                    self._send(client, kind, result)
                    for kind, result in zip(self.kinds, self.results, strict=True)
                )
            )

    async def _send(self, client: httpx.AsyncClient, kind: Requests, result: Result) -> None:
        began, tasks = time.monotonic(), set()
        while not self._stop.is_set():
            due = began + result.sent / kind.rate
            if (ahead := due - time.monotonic()) > 0:
                await asyncio.sleep(ahead)
            result.sent += 1
            task = asyncio.create_task(self._one(client, kind, result))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)

    async def _one(self, client: httpx.AsyncClient, kind: Requests, result: Result) -> None:
        try:
            answer = await client.request(
                kind.method, kind.url, params={"delay_ms": kind.delay_ms} if kind.delay_ms else None
            )
        except httpx.HTTPError as error:
            result.lost[type(error).__name__] += 1
            return
        if kind.expect(answer):
            result.answered += 1
        else:
            result.lost[str(answer.status_code)] += 1
