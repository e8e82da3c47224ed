"""Connections to what a service depends on, each checked in a thread of its own.

The answer of `/health` is made of what the checks found last, so it never waits for them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from . import grpc_health
from .config import Endpoint, Settings

TIMEOUT = 3.0  # seconds that one attempt may take


class Dependency(Protocol):
    """A connection that is made when first checked, and anew after it broke."""

    name: str

    def check(self) -> None:
        """Uses the connection; raises whatever the client library raises when it is broken."""

    def close(self) -> None:
        """Gives the connection up; one that is not open is no error."""


class Postgres:
    """Runs SELECT 1."""

    name = "postgres"

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._connection: Any = None

    def check(self) -> None:
        import psycopg2

        if self._connection is None:
            self._connection = psycopg2.connect(
                self._endpoint.with_password(), connect_timeout=int(TIMEOUT)
            )
            self._connection.autocommit = True
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    def close(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()


class Mongo:
    """Sends ping."""

    name = "mongo"

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._client: Any = None

    def check(self) -> None:
        import pymongo

        if self._client is None:
            self._client = pymongo.MongoClient(
                self._endpoint.with_password(),
                serverSelectionTimeoutMS=int(TIMEOUT * 1000),
                connectTimeoutMS=int(TIMEOUT * 1000),
                socketTimeoutMS=int(TIMEOUT * 1000),
            )
        self._client.admin.command("ping")

    def close(self) -> None:
        if self._client is not None:
            client, self._client = self._client, None
            client.close()


class RabbitMQ:
    """Declares the service's own queue passively after it was made: a round trip to the broker."""

    name = "rabbitmq"

    def __init__(self, endpoint: Endpoint, service: str) -> None:
        self._endpoint = endpoint
        self._queue = f"{service}.sample"
        self._connection: Any = None
        self._channel: Any = None

    def check(self) -> None:
        import pika

        if self._connection is None:
            parameters = pika.URLParameters(self._endpoint.with_password())
            parameters.socket_timeout = parameters.stack_timeout = TIMEOUT
            parameters.blocked_connection_timeout = TIMEOUT
            self._connection = pika.BlockingConnection(parameters)
            self._channel = self._connection.channel()
            self._channel.queue_declare(self._queue, durable=True)
        self._connection.process_data_events()
        self._channel.queue_declare(self._queue, passive=True)

    def close(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            if connection.is_open:
                connection.close()


class Metadata:
    """Asks grpc.health.v1.Health/Check."""

    name = "metadata"

    def __init__(self, target: str) -> None:
        self._target = target
        self._channel: Any = None

    def check(self) -> None:
        if self._channel is None:
            self._channel = grpc_health.channel(self._target)
        status = grpc_health.check(self._channel, "", TIMEOUT)
        if status is not grpc_health.Status.SERVING:
            raise ConnectionError(f"answers {status.name}")

    def close(self) -> None:
        if self._channel is not None:
            channel, self._channel = self._channel, None
            channel.close()


@dataclass(slots=True)
class Finding:
    """What the last check of a dependency found; `ok` is None before the first has ended."""

    target: str
    ok: bool | None = None
    error: str | None = None
    latency_ms: float | None = None
    checked_at: float | None = None

    def as_json(self, now: float, stale_after: float) -> dict[str, Any]:
        """For `/health`; times in seconds. A check that hangs makes the finding stale: not ok."""
        age = None if self.checked_at is None else round(now - self.checked_at, 1)
        stale = age is not None and age > stale_after
        return {
            "target": self.target,
            "ok": False if stale else self.ok,
            "latency_ms": self.latency_ms,
            "age": age,
            "error": f"the last check has hung for {age:g} s" if stale else self.error,
        }


@dataclass(slots=True)
class Monitor:
    """Checks every dependency again and again, and keeps what was found."""

    interval: float
    dependencies: list[tuple[Dependency, Finding]] = field(default_factory=list)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self) -> None:
        """Starts the checks in the running event loop."""
        self._tasks = [asyncio.create_task(self._watch(*each)) for each in self.dependencies]

    async def stop(self) -> None:
        """Ends the checks and closes the connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def findings(self) -> dict[str, dict[str, Any]]:
        """The last finding of each dependency, by its name."""
        now, stale_after = time.monotonic(), self.interval + 3 * TIMEOUT
        return {
            dependency.name: found.as_json(now, stale_after)
            for dependency, found in self.dependencies
        }

    async def _watch(self, dependency: Dependency, found: Finding) -> None:
        # pika's connections and cursors belong to the thread that made them
        with ThreadPoolExecutor(1, thread_name_prefix=dependency.name) as thread:
            try:
                while True:
                    await asyncio.get_running_loop().run_in_executor(
                        thread, _examine, dependency, found
                    )
                    await asyncio.sleep(self.interval if found.ok else min(self.interval, 1))
            finally:
                thread.submit(dependency.close)


def _examine(dependency: Dependency, found: Finding) -> None:
    """Checks once; whatever goes wrong is the finding, and the connection is given up."""
    start = time.monotonic()
    error: str | None = None
    try:
        dependency.check()
    except Exception as problem:
        error = " ".join(f"{type(problem).__name__}: {problem}".split())[:200]
        _give_up(dependency)
    found.latency_ms = round((time.monotonic() - start) * 1000, 1)
    found.checked_at = time.monotonic()
    if found.ok is not (error is None):
        print(f"{dependency.name}: {error or 'connected'}", flush=True)
    found.ok, found.error = error is None, error


def _give_up(dependency: Dependency) -> None:
    try:
        dependency.close()
    except Exception as problem:
        print(f"{dependency.name}: while closing: {problem}", flush=True)


def monitor(settings: Settings) -> Monitor:
    """A monitor of everything that the settings name."""
    return Monitor(
        settings.check_interval,
        [(dependency, Finding(target)) for dependency, target in _named(settings)],
    )


def _named(settings: Settings) -> Iterator[tuple[Dependency, str]]:
    if settings.database:
        yield Postgres(settings.database), _address(settings.database.url)
    if settings.mongo:
        yield Mongo(settings.mongo), _address(settings.mongo.url)
    if settings.rabbitmq:
        yield RabbitMQ(settings.rabbitmq, settings.name), _address(settings.rabbitmq.url)
    if settings.metadata_grpc:
        yield Metadata(settings.metadata_grpc), settings.metadata_grpc


def _address(url: str) -> str:
    """Host, port and name of a URL, without the user and the password."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2] + parts.path
