"""Clients that have to stay where they are: cookies and WebSockets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest
from live import Stack
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from traffic import write

pytestmark = pytest.mark.engine


@contextmanager
def clients(shop: Stack, count: int) -> Iterator[list[httpx.Client]]:
    """Clients that keep their cookies, each with a session at some replica."""
    with ExitStack() as stack:
        yield [stack.enter_context(shop.visitor.session()) for _ in range(count)]


def replicas_of(found: list[httpx.Client]) -> list[str]:
    """The replica that answers each client; its id's start."""
    return [str(client.get("/api/shop/x").json()["replica"]) for client in found]


def survivors(shop: Stack) -> set[str]:
    return {identity[:12] for identity in shop.ids("shop").values()}


def test_sessions_stay_where_they_are(shop: Stack) -> None:
    """20 clients stay on their replicas through scale-ups, and through scale-downs that spare
    them; the others move once."""
    with clients(shop, 20) as found:
        first = replicas_of(found)
        assert len(set(first)) == 2
        shop.ok("scale", "shop", "5")
        assert replicas_of(found) == first
        shop.ok("scale", "shop", "1")
        [left] = survivors(shop)
        assert left in first
        assert replicas_of(found) == [left] * 20
        shop.ok("scale", "shop", "2")
        assert replicas_of(found) == [left] * 20


def test_a_websocket_lives_until_the_drain_is_over(shop: Stack) -> None:
    """Connections to a replica that goes still echo while it is drained; those to one that stays
    go on."""
    write(shop, drain="4s")
    url = f"ws://127.0.0.1:{shop.http}/ws"
    with ExitStack() as stack:
        sockets = [stack.enter_context(connect(url, open_timeout=10)) for _ in range(6)]
        hosts = [socket_host(socket) for socket in sockets]
        assert len(set(hosts)) == 2
        scaling = shop.start("scale", "shop", "1")
        scaling.says("await pin of shop")
        assert all(echoes(socket) for socket in sockets), "a drained connection was cut"
        assert scaling.ended() == 0
        [left] = survivors(shop)
        for host, socket in zip(hosts, sockets, strict=True):
            assert echoes(socket) == (host == left)
    write(shop)
    shop.ok("up", "--reset-scale")


def socket_host(socket: ClientConnection) -> str:
    """The replica at the other end: it says so first."""
    found = str(socket.recv(timeout=5))
    return next(word for word in found.replace('"', " ").split() if len(word) == 12)


def echoes(socket: ClientConnection) -> bool:
    """Whether a message comes back."""
    message = f"hello {threading.get_ident()}"
    try:
        socket.send(message)
        return message in str(socket.recv(timeout=5))
    except ConnectionClosed:
        return False
