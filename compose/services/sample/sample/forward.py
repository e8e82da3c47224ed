"""GATEWAY_URL: passes requests and WebSockets on to the gateway.

For the deployment in which the public load balancer leads to the frontend, and only from there
to the gateway.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiohttp import (
    ClientError,
    ClientSession,
    ClientTimeout,
    ClientWebSocketResponse,
    DummyCookieJar,
    WSMsgType,
    web,
)
from multidict import CIMultiDict

# RFC 9110, 7.6.1; Sec-WebSocket-* and Host are set anew or kept by hand
_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
     "te", "trailer", "transfer-encoding", "upgrade"}
)  # fmt: skip


class Forwarder:
    """Passes on to one base URL; a request that comes back is answered with 404.

    The gateway's catch-all route may lead here, so a path that it does not know would go round
    for ever.
    """

    def __init__(self, base_url: str, name: str) -> None:
        self._base_url = base_url
        self._via = f"1.1 {name}"
        self._client: ClientSession | None = None

    async def session(self, _: web.Application) -> AsyncIterator[None]:
        """Keeps a client open while the application runs."""
        async with ClientSession(
            auto_decompress=False,
            cookie_jar=DummyCookieJar(),
            timeout=ClientTimeout(total=None, sock_connect=5, sock_read=600),
        ) as self._client:
            yield

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answers with what the gateway says, or with 502 when it says nothing."""
        assert self._client is not None  # set before the first request
        if self._via in request.headers.get("Via", ""):
            return web.json_response({"error": f"no route for {request.path}"}, status=404)
        try:
            if web.WebSocketResponse().can_prepare(request).ok:
                return await self._bridge(self._client, request)
            return await self._pass_on(self._client, request)
        except (TimeoutError, ClientError) as error:
            return web.json_response({"error": f"gateway: {error}"}, status=502)

    async def _pass_on(self, client: ClientSession, request: web.Request) -> web.StreamResponse:
        async with client.request(
            request.method,
            self._base_url + request.path_qs,
            headers=self._headers(request),
            data=request.content if request.body_exists else None,
            allow_redirects=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        ) as answer:
            response = web.StreamResponse(status=answer.status, reason=answer.reason)
            for name, value in answer.headers.items():
                if name.lower() not in _HOP_BY_HOP:
                    response.headers.add(name, value)
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
            return response

    async def _bridge(self, client: ClientSession, request: web.Request) -> web.StreamResponse:
        asked = request.headers.get("Sec-WebSocket-Protocol", "")
        protocols = [name.strip() for name in asked.split(",") if name.strip()]
        headers = self._headers(request)
        for name in [name for name in headers if name.lower().startswith("sec-websocket-")]:
            headers.popall(name, None)
        async with client.ws_connect(
            self._base_url + request.path_qs, headers=headers, protocols=protocols
        ) as inner:
            outer = web.WebSocketResponse(protocols=[inner.protocol] if inner.protocol else [])
            await outer.prepare(request)
            directions = [
                asyncio.create_task(_pump(outer, inner)),
                asyncio.create_task(_pump(inner, outer)),
            ]
            try:
                await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for direction in directions:
                    direction.cancel()
                await outer.close(code=inner.close_code or outer.close_code or 1000)
            return outer

    def _headers(self, request: web.Request) -> CIMultiDict[str]:
        named = {name.strip().lower() for name in request.headers.get("Connection", "").split(",")}
        headers = CIMultiDict(
            (name, value)
            for name, value in request.headers.items()
            if name.lower() not in _HOP_BY_HOP | named
        )
        headers.add("Via", self._via)
        client = request.remote or "unknown"
        before = request.headers.get("X-Forwarded-For")
        headers["X-Forwarded-For"] = f"{before}, {client}" if before else client
        headers.setdefault("X-Forwarded-Proto", request.scheme)
        headers.setdefault("X-Forwarded-Host", request.host)
        return headers


_Socket = web.WebSocketResponse | ClientWebSocketResponse


async def _pump(source: _Socket, target: _Socket) -> None:
    async for message in source:
        if message.type is WSMsgType.TEXT:
            await target.send_str(message.data)
        elif message.type is WSMsgType.BINARY:
            await target.send_bytes(message.data)
