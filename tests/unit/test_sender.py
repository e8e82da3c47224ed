"""The sender, against a server of this machine."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from aiohttp import web

from msctl.loadgen.sender import send
from msctl.loadtest.outcome import Outcome
from msctl.loadtest.shape import shape
from msctl.loadtest.target import Target


@dataclass
class Server:
    """Notes what it is asked, and answers as the path says."""

    port: int = 0
    requests: list[tuple[float, str, str, str]] = field(default_factory=list)
    """When, method, Host header and id."""
    cookies: Counter[str] = field(default_factory=Counter)
    peers: set[object] = field(default_factory=set)
    under_way: int = 0
    most: int = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(
            (time.monotonic(), request.method, request.host, request.headers["X-Request-Id"])
        )
        assert request.transport is not None
        self.peers.add(request.transport.get_extra_info("peername"))
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await asyncio.sleep(float(request.query.get("delay", 0)))
        finally:
            self.under_way -= 1
        if request.path == "/cut":
            response = web.StreamResponse(headers={"Content-Length": "100"})
            await response.prepare(request)
            await response.write(b"half")
            request.transport.close()
            return response
        if request.path == "/moved":
            raise web.HTTPFound("/elsewhere")
        status = int(request.path[1:]) if request.path[1:].isdigit() else 200
        response = web.Response(status=status, text="hello")
        home = request.cookies.get("home", "")
        if not home:
            home = str(len(self.cookies))
            response.set_cookie("home", home)
        self.cookies[home] += 1
        return response


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    loop = asyncio.new_event_loop()
    ready, done = threading.Event(), asyncio.Event()

    async def serve() -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", server.answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        server.port = listener.getsockname()[1]
        await web.SockSite(runner, listener).start()
        ready.set()
        await done.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(timeout=10)
        loop.close()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server()) as found:
        yield found


def sent(
    server: Server, where: str = "/", *, timeout: float = 5.0, **load: object
) -> list[Outcome]:
    found: list[Outcome] = []
    target = Target("http", "127.0.0.1", server.port, where, name="shop.test", timeout=timeout)
    send(target, shape(**load), "run", found.append)  # type: ignore[arg-type]
    return sorted(found, key=lambda outcome: outcome.number)


def test_each_request_has_its_own_id_and_the_routes_host(server: Server) -> None:
    """Whatever address the connection is made to."""
    found = sent(server, requests=5, concurrency=2)
    assert [outcome.status for outcome in found] == [200] * 5
    assert {identity for *_, identity in server.requests} == {f"run-{n}" for n in range(5)}
    assert {host for _, _, host, _ in server.requests} == {f"shop.test:{server.port}"}


@pytest.mark.parametrize(
    ("where", "word"), [("/204", "204"), ("/404", "404"), ("/503", "503"), ("/moved", "302")]
)
def test_an_answer_is_its_status(server: Server, where: str, word: str) -> None:
    """Redirects are not followed: they are the service's answer."""
    [outcome] = sent(server, where, requests=1)
    assert (outcome.word, len(server.requests)) == (word, 1)


def test_a_late_answer_is_a_timeout(server: Server) -> None:
    """Its latency is at least the time that it was given."""
    [outcome] = sent(server, "/?delay=2", requests=1, timeout=0.2)
    assert outcome.word == "timeout"
    assert outcome.latency is not None
    assert 0.2 <= outcome.latency < 1.5


def test_half_an_answer_is_a_failure(server: Server) -> None:
    """Its head had said 200."""
    [outcome] = sent(server, "/cut", requests=1)
    assert (outcome.status, outcome.error) == (None, "answer cut off")


def test_nobody_listens() -> None:
    """The reason is the system's, in words."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        [outcome] = sent(Server(taken.getsockname()[1]), requests=1)
    assert (outcome.word, outcome.latency) == ("connection refused", None)


def test_open_loop_does_not_wait_for_answers(server: Server) -> None:
    """Requests start on time, though each takes longer than the time between two."""
    found = sent(server, "/?delay=0.3", rate=50, requests=30)
    assert [outcome.due for outcome in found] == [n / 50 for n in range(30)]
    assert server.most > 5
    assert found[-1].sent < 2.0


def test_open_loop_reuses_connections(server: Server) -> None:
    """A slow moment does not make every request open a connection of its own."""
    found = sent(server, rate=200, requests=200)
    assert [outcome.status for outcome in found] == [200] * 200
    assert len(server.peers) < 100  # 200 where each opens one


def test_open_loop_waits_for_connections_that_fail() -> None:
    """It ends, though no connection ever comes."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        found = sent(Server(taken.getsockname()[1]), rate=500, requests=100)
    assert [outcome.word for outcome in found] == ["connection refused"] * 100


def test_open_loop_counts_from_the_intended_start() -> None:
    """A server that stands still for a while shows in the requests of that while."""

    class Stalling(Server):
        async def answer(self, request: web.Request) -> web.StreamResponse:
            if len(self.requests) == 10:
                time.sleep(0.5)  # the whole server, as in a pause of its garbage collector
            return await super().answer(request)

    with serving(Stalling()) as server:
        found = sent(server, rate=50, requests=40)
    slow = [outcome for outcome in found if outcome.latency and outcome.latency > 0.1]
    assert len(slow) >= 10


def test_closed_loop_keeps_so_many_under_way(server: Server) -> None:
    """No more, and no fewer while there is something to send."""
    found = sent(server, "/?delay=0.05", requests=20, concurrency=4)
    assert (len(found), server.most) == (20, 4)


def test_one_after_the_other_with_a_pause(server: Server) -> None:
    """Each is meant to start a pause after the answer before."""
    found = sent(server, requests=4, delay=0.1)
    times = [at for at, *_ in server.requests]
    assert server.most == 1
    assert all(later - earlier >= 0.09 for earlier, later in pairwise(times))
    assert found[3].due >= 0.3


def test_a_duration_ends_it(server: Server) -> None:
    """No request starts later; those under way are waited for."""
    found = sent(server, "/?delay=0.2", concurrency=3, seconds=0.5)
    assert 3 <= len(found) <= 9
    assert all(outcome.sent < 0.6 for outcome in found)
    assert {outcome.status for outcome in found} == {200}


def test_a_rate_out_of_reach_ends_in_time(server: Server) -> None:
    """What could not be started in the time is not started afterwards."""
    began = time.monotonic()
    found = sent(server, rate=100_000, seconds=0.5)
    assert 0 < len(found) < 50_000
    assert time.monotonic() - began < 30


def test_each_sticky_client_has_a_jar(server: Server) -> None:
    """Its first request goes alone, so that it gets one cookie, and sends it from then on."""
    found = sent(server, requests=40, concurrency=20, sticky=True, clients=5)
    assert server.cookies == Counter({str(n): 8 for n in range(5)})
    assert Counter(outcome.client for outcome in found) == Counter(dict.fromkeys(range(5), 8))


def test_others_keep_no_cookies(server: Server) -> None:
    """Without --sticky, each request is somebody else's."""
    sent(server, requests=6)
    assert len(server.cookies) == 6


def raise_it(_signum: int, _frame: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("handler", [signal.default_int_handler, raise_it])
def test_ctrl_c_leaves_what_has_ended(server: Server, handler: Any) -> None:
    """Requests under way are given up, and nothing is left running; whoever handles the signal."""
    before = signal.signal(signal.SIGINT, handler)
    found: list[Outcome] = []
    target = Target("http", "127.0.0.1", server.port, "/?delay=0.05", timeout=5)
    timer = threading.Timer(0.6, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            send(target, shape(rate=50, seconds=20), "run", found.append)
    finally:
        timer.cancel()
        signal.signal(signal.SIGINT, before)
    assert 5 < len(found) < 60
    assert {outcome.status for outcome in found} == {200}
