"""Sends the requests of a load test. The only module that imports aiohttp."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import count
from math import inf

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from msctl.loadgen.lanes import Lanes
from msctl.loadtest.accesslog import HEADER, request_id
from msctl.loadtest.outcome import TIMEOUT, Outcome
from msctl.loadtest.shape import Shape
from msctl.loadtest.target import Target

MOST_CONNECTIONS = 1000
"""Open at once; further requests wait for one, and that counts as latency. Docker's proxy of a
published port needs six open files for each, and stops for good where it has none left (tried with
4,096 and a limit of 20,000)."""
CATCH_UP = 1.0
"""Seconds after the end of the time in which late requests may still start."""
_SPARE_FILES = 64
"""Files that the process needs for other things."""

Tell = Callable[[Outcome], None]


def send(target: Target, shape: Shape, run: str, tell: Tell) -> None:
    """Send all requests of a load and tell what becomes of each, in the order in which they end.

    Raises:
        KeyboardInterrupt: Ctrl-C; requests under way are given up and not told.
    """
    asyncio.run(_Sender(target, shape, run, tell).run())


@dataclass
class _Client:
    """One cookie jar. Its first request goes alone, for that gets the cookie."""

    session: aiohttp.ClientSession
    greeted: bool = True
    first: asyncio.Lock = field(default_factory=asyncio.Lock)


class _Sender:
    def __init__(self, target: Target, shape: Shape, run: str, tell: Tell) -> None:
        self._target, self._shape, self._run, self._tell = target, shape, run, tell
        self._clients: list[_Client] = []
        self._lanes: Lanes | None = None
        self._limit = _connections()
        self._start = 0.0

    async def run(self) -> None:
        resolver = _OneHost(self._target.host)
        async with aiohttp.TCPConnector(
            limit=self._limit,
            resolver=resolver,
            ssl=_trust(self._target.authority),
            ttl_dns_cache=None,
            keepalive_timeout=60,
        ) as connector:
            with ExitStack() as sessions:
                keeps_cookies = self._shape.clients is not None
                for _ in range(self._shape.clients or 1):
                    jar = (
                        aiohttp.CookieJar(unsafe=True)  # a jar for IP addresses too
                        if keeps_cookies
                        else aiohttp.DummyCookieJar()
                    )
                    session = aiohttp.ClientSession(
                        connector=connector,
                        connector_owner=False,
                        cookie_jar=jar,
                        timeout=aiohttp.ClientTimeout(total=self._target.timeout),
                        headers={"User-Agent": "msctl load-test"},
                        auto_decompress=False,
                        trace_configs=[self._trace()],
                    )
                    sessions.callback(session.detach)
                    self._clients.append(_Client(session, greeted=not keeps_cookies))
                self._start = asyncio.get_running_loop().time()
                await (self._open() if self._shape.rate is not None else self._closed())

    def _trace(self) -> aiohttp.TraceConfig:
        """Tells the lanes when a connection is there."""
        config = aiohttp.TraceConfig()

        async def opened(_session: object, _context: object, _parameters: object) -> None:
            if self._lanes is not None:
                self._lanes.opened()

        config.on_connection_create_end.append(opened)
        return config

    def _now(self) -> float:
        return asyncio.get_running_loop().time() - self._start

    async def _open(self) -> None:
        """Hand on each request when it is due; what has not started soon after the end of the
        time is dropped."""
        shape, planned = self._shape, self._shape.planned
        stop = inf if shape.seconds is None else shape.seconds + CATCH_UP
        assert planned is not None
        async with asyncio.TaskGroup() as group:
            lanes = self._lanes = Lanes(group, self._one, self._limit)
            for number in range(planned):
                due = shape.due(number)
                # A pause of 0 too lets the requests under way go on.
                await asyncio.sleep(max(0.0, due - self._now()))
                if self._now() >= stop:
                    break
                lanes.add(number, due)
            await lanes.end(max(0.0, stop - self._now()))

    async def _closed(self) -> None:
        shape = self._shape
        numbers = iter(range(shape.requests)) if shape.requests is not None else count()
        workers = min(shape.workers or 1, shape.requests or MOST_CONNECTIONS)
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self._work(numbers))

    async def _work(self, numbers: Iterator[int]) -> None:
        """One request after the other, each due a pause after the answer before."""
        shape, due = self._shape, 0.0
        for number in numbers:
            await asyncio.sleep(max(0.0, due - self._now()))
            if shape.seconds is not None and self._now() >= shape.seconds:
                return
            await self._one(number, due or self._now())
            due = self._now() + shape.delay

    async def _one(self, number: int, due: float) -> None:
        sent, index = self._now(), self._shape.client(number)
        client = self._clients[index or 0]
        if client.greeted:
            status, error = await self._request(client, number)
        else:
            async with client.first:
                status, error = await self._request(client, number)
                client.greeted = client.greeted or status is not None
        self._tell(Outcome(number, due, sent, self._now(), status, error, index))

    async def _request(self, client: _Client, number: int) -> tuple[int | None, str | None]:
        """The status, or why there was none."""
        try:
            async with client.session.request(
                self._target.method,
                self._target.url,
                headers={HEADER: request_id(self._run, number)},
                allow_redirects=False,
            ) as answer:
                async for _ in answer.content.iter_any():
                    pass
                return answer.status, None
        except TimeoutError:
            return None, TIMEOUT
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return None, _reason(error)


def _trust(authority: str | None) -> ssl.SSLContext | bool:
    """Not whether the name is right: a stack is asked at addresses that its certificate lacks."""
    if authority is None:
        return False
    context = ssl.create_default_context(cadata=authority)
    context.check_hostname = False
    return context


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "connection closed"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "answer cut off"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "certificate of another authority"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "host not found"
    if isinstance(error, OSError) and (text := _strerror(error)):
        return text
    return type(error).__name__


def _strerror(error: OSError) -> str | None:
    """`connection refused`, from wherever in the layers the system's word is."""
    inner = getattr(error, "os_error", None) or error
    text = inner.strerror if isinstance(inner, OSError) else None
    if inner.errno is not None and inner.errno > 0:
        text = os.strerror(inner.errno)
    return text.lower() if text else None


class _OneHost(AbstractResolver):
    """Leads every name to one host, whatever the URL says."""

    def __init__(self, host: str) -> None:
        self._host = host

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(self._host, port, type=socket.SOCK_STREAM, family=family)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=proto,
                flags=socket.AI_NUMERICHOST,
            )
            for kind, _, proto, _, address in found
        ]

    async def close(self) -> None:
        """Nothing is held."""


def _connections() -> int:
    """How many connections the process may have; its limit of open files is raised for them."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return MOST_CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + _SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(1, min(MOST_CONNECTIONS, soft - _SPARE_FILES))
