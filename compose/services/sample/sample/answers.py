"""What the service answers over HTTP.

/health            200 or 503; reports each dependency, fails only on itself
/_misbehave        GET shows the faults, POST changes them
/ws, /ws/…         WebSocket: the first message tells the replica, then an echo
/api, /ws          with GATEWAY_URL: passed on to the gateway
…/session          counts the visits of a session, in this replica's memory
anything else      an echo, as JSON: service, replica, method, path, query (lists), headers,
                   bytes of the body, and how many requests this replica has had;
                   ?delay_ms=N answers later. Browsers get a page where KIND=frontend
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from . import cors, page
from .dependencies import Monitor
from .forward import Forwarder
from .life import Life
from .sessions import Sessions

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MAX_DELAY_MS = 600_000.0
QUIET = frozenset({"/health", "/_misbehave"})  # no faults, no access log


class Service:
    """The handlers, and what they count."""

    def __init__(self, life: Life, monitor: Monitor) -> None:
        self.requests = 0
        self.in_flight = 0
        self._life = life
        self._settings = life.settings
        self._monitor = monitor
        self._sessions = Sessions()
        self._websockets: set[web.WebSocketResponse] = set()

    def application(self) -> web.Application:
        """The routes, the first that fits wins."""
        app = web.Application(middlewares=[self._around])
        app.router.add_route("*", "/health", self.health)
        app.router.add_route("*", "/_misbehave", self.misbehave)
        if self._settings.gateway_url:
            forwarder = Forwarder(self._settings.gateway_url, self._settings.name)
            app.cleanup_ctx.append(forwarder.session)
            app.router.add_route("*", "/{area:api|ws}{rest:(/.*)?}", forwarder.handle)
        else:
            app.router.add_get("/ws{rest:(/.*)?}", self.websocket)
        app.router.add_route("*", "/{prefix:(.*/)?}session", self.session)
        app.router.add_route("*", "/{path:.*}", self.echo)
        return app

    async def drain(self, grace: float) -> bool:
        """Ends the WebSockets and waits for the requests in flight; false when time ran out."""
        deadline = time.monotonic() + grace
        await asyncio.gather(
            *(_go_away(socket) for socket in self._websockets), return_exceptions=True
        )
        await asyncio.sleep(0.05)  # requests that had arrived get counted
        while self.in_flight and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        return not self.in_flight

    async def health(self, _: web.Request) -> web.StreamResponse:
        """Answers at once: the dependencies are checked in the background."""
        healthy = self._life.healthy
        return web.json_response(
            {
                "status": "ok" if healthy else "failing",
                "service": self._settings.name,
                "replica": self._settings.replica,
                "uptime": round(self._life.uptime, 1),
                "requests": self.requests,
                "dependencies": self._monitor.findings(),
            },
            status=200 if healthy else 503,
        )

    async def misbehave(self, request: web.Request) -> web.StreamResponse:
        """Shows or changes the faults of this one replica, hence not through a proxy by default."""
        allowed = self._settings.misbehave_api
        proxied = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "Via"))
        if allowed == "off" or (allowed == "direct" and proxied):
            return web.json_response({"error": f"MISBEHAVE_API={allowed} forbids it"}, status=403)
        if request.method == "POST":
            try:
                body = await request.json()
                if not isinstance(body, dict):
                    raise ValueError("a JSON object is wanted")
                self._life.misbehave(self._life.faults.changed(body, self._life.uptime))
            except ValueError as error:
                return web.json_response({"error": str(error)}, status=400)
        faults = self._life.faults
        shown = {name: getattr(faults, name) for name in faults.__slots__}
        return web.json_response({"replica": self._settings.replica, "faults": shown})

    async def websocket(self, request: web.Request) -> web.StreamResponse:
        """Says who answers, then echoes text and binary messages."""
        socket = web.WebSocketResponse(heartbeat=30, timeout=2)
        if not socket.can_prepare(request).ok:
            return await self.echo(request)
        await socket.prepare(request)
        self._websockets.add(socket)
        self.in_flight -= 1  # it ends when the client or the replica goes, not by itself
        try:
            await socket.send_json(self._identity())
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await socket.send_str(message.data)
                elif message.type is WSMsgType.BINARY:
                    await socket.send_bytes(message.data)
            if self._life.stopping.is_set():
                await _go_away(socket)
        except ConnectionResetError:
            self._life.say("a WebSocket client went away")
        finally:
            self.in_flight += 1
            self._websockets.discard(socket)
        return socket

    async def session(self, request: web.Request) -> web.StreamResponse:
        """Another replica does not know the session: `lost` is true and the count starts anew."""
        visit = self._sessions.visit(request.cookies.get(self._settings.session_cookie))
        response = web.json_response(
            {**self._identity(), "session": visit.key, "count": visit.count, "lost": visit.lost}
        )
        response.set_cookie(
            self._settings.session_cookie, visit.key, path="/", httponly=True, samesite="Lax"
        )
        return response

    async def echo(self, request: web.Request) -> web.StreamResponse:
        """Everything that arrived, so that a test sees what the gateway made of it."""
        if self._settings.kind == "frontend" and page.wanted(request):
            return page.answer(self._settings)
        size = 0
        async for chunk in request.content.iter_any():
            size += len(chunk)
        return web.json_response(
            {
                **self._identity(),
                "method": request.method,
                "path": request.path,
                "query": {key: request.query.getall(key) for key in request.query},
                "headers": {key: ", ".join(request.headers.getall(key)) for key in request.headers},
                "bytes": size,
                "requests": self.requests,
            }
        )

    def _identity(self) -> dict[str, Any]:
        return {"service": self._settings.name, "replica": self._settings.replica}

    @web.middleware
    async def _around(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Counts, delays, CORS, the replica's name, the access log: around every handler."""
        quiet = request.path in QUIET
        start = time.monotonic()
        self.in_flight += 1
        self.requests += not quiet
        try:
            if cors.is_preflight(request):
                response: web.StreamResponse = web.Response(status=204)
            else:
                if not quiet:
                    await self._hold_up(request)
                response = await handler(request)
                if self._life.faults.status and not (quiet or response.prepared):
                    response.set_status(self._life.faults.status)
        except web.HTTPException as refusal:
            response = refusal
        finally:
            self.in_flight -= 1
        if not response.prepared:
            response.headers["X-Replica"] = self._settings.replica
            response.headers.update(cors.headers(request, self._settings.cors_origins))
            if self._life.stopping.is_set():
                response.force_close()
        if self._settings.access_log and not quiet:
            milliseconds = (time.monotonic() - start) * 1000
            self._life.say(
                f"{request.method} {request.path_qs} {response.status} {milliseconds:.1f}ms"
            )
        return response

    async def _hold_up(self, request: web.Request) -> None:
        faults = self._life.faults
        burnt_at = time.thread_time() + faults.burn_ms / 1000
        while time.thread_time() < burnt_at:
            pause = min(burnt_at, time.thread_time() + 0.005)
            while time.thread_time() < pause:
                pass
            await asyncio.sleep(0)
        try:
            delay = float(request.query.get("delay_ms", 0)) + faults.latency_ms
        except ValueError:
            raise web.HTTPBadRequest(text="delay_ms is not a number\n") from None
        if delay > 0:
            await asyncio.sleep(min(delay, MAX_DELAY_MS) / 1000)


async def _go_away(socket: web.WebSocketResponse) -> None:
    await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the replica stops")
