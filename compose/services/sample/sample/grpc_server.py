"""PROTOCOL=grpc: a gRPC server with grpc.health.v1.Health, as metadata-service has one.

"" and the service's name stand for this replica itself, the name of a dependency for that one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio

from . import dependencies, grpc_health
from .config import Settings
from .grpc_health import Status
from .life import Life


class Health:
    """The two methods of grpc.health.v1.Health."""

    def __init__(self, life: Life, monitor: dependencies.Monitor) -> None:
        self._life = life
        self._monitor = monitor

    async def check(self, service: str, context: Any) -> Status:
        """Unary; NOT_FOUND for a name that is not known, as the protocol says."""
        status = self._status(service)
        if status is Status.SERVICE_UNKNOWN:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"unknown service {service!r}")
        return status

    async def watch(self, service: str, _: Any) -> AsyncIterator[Status]:
        """Streams the status, and again whenever it changes, until the server stops."""
        last: Status | None = None
        while not (self._life.stopping.is_set() and last is Status.NOT_SERVING):
            status = self._status(service)
            if status is not last:
                last = status
                yield status
            await asyncio.sleep(0.2)

    def handler(self) -> Any:
        """For the server's add_generic_rpc_handlers."""
        codec = {
            "request_deserializer": grpc_health.decode_request,
            "response_serializer": grpc_health.encode_response,
        }
        return grpc.method_handlers_generic_handler(
            grpc_health.SERVICE,
            {
                "Check": grpc.unary_unary_rpc_method_handler(self.check, **codec),
                "Watch": grpc.unary_stream_rpc_method_handler(self.watch, **codec),
            },
        )

    def _status(self, service: str) -> Status:
        if service in ("", self._life.settings.name):
            return Status.SERVING if self._life.healthy else Status.NOT_SERVING
        finding = self._monitor.findings().get(service)
        if finding is None:
            return Status.SERVICE_UNKNOWN
        match finding["ok"]:
            case None:
                return Status.UNKNOWN
            case ok:
                return Status.SERVING if ok else Status.NOT_SERVING


def run(settings: Settings) -> int:
    """Serves until SIGTERM and returns the exit status."""
    return asyncio.run(_run(settings))


async def _run(settings: Settings) -> int:
    life = Life(settings, settings.misbehaviour)
    life.watch()
    monitor = dependencies.monitor(settings)
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((Health(life, monitor).handler(),))
    server.add_insecure_port(f"[::]:{settings.port}")
    await server.start()
    monitor.start()
    life.say(f"{settings.replica} serves gRPC on port {settings.port}")
    await life.stopping.wait()
    await server.stop(settings.grace)
    await monitor.stop()
    life.say("stopped")
    return 0
