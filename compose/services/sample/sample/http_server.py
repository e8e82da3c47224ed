"""PROTOCOL=http: listens, and ends gracefully on SIGTERM."""

from __future__ import annotations

import asyncio
import socket

from aiohttp import web

from . import dependencies
from .answers import Service
from .config import Settings
from .life import Life

# longer than a proxy keeps an idle connection (Traefik: 90 s), so that never this side closes
# one just as a request comes in
KEEP_ALIVE = 120.0


def run(settings: Settings, listener: socket.socket) -> int:
    """Serves on the socket until SIGTERM and returns the exit status."""
    return asyncio.run(_run(settings, listener))


async def _run(settings: Settings, listener: socket.socket) -> int:
    life = Life(settings, settings.misbehaviour)
    life.watch()
    monitor = dependencies.monitor(settings)
    service = Service(life, monitor)
    runner = web.AppRunner(service.application(), access_log=None, keepalive_timeout=KEEP_ALIVE)
    await runner.setup()
    assert runner.server is not None  # set by setup
    server = await asyncio.get_running_loop().create_server(
        runner.server, sock=listener, backlog=1024
    )
    monitor.start()
    life.say(f"{settings.replica} serves HTTP on port {settings.port}")

    await life.stopping.wait()
    server.close()
    if not await service.drain(settings.grace):
        life.say(f"{service.in_flight} requests were still in flight after {settings.grace:g} s")
    await runner.cleanup()
    await monitor.stop()
    life.say("stopped")
    return 0
