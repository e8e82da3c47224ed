"""Stacks under load: nothing that is asked is lost."""

from __future__ import annotations

import functools
import logging
import time
from typing import Any

from live import Stack, service
from load import Clients, Load, Requests, Sessions, Sockets, echo

log = logging.getLogger(__name__)
DRAIN = "1200ms"
"""Longer than the longest request of the load."""
ROOM = 0.1
"""Seconds that 95 of 100 answers may be late where a machine has room to spare."""
ROUTES = [{"path": "/api/shop", "strip": True}, {"path": "/ws"}]


def write(stack: Stack, *, drain: str = DRAIN, **changes: Any) -> None:
    """The stack file of a shop, and of a neighbour whose path begins like the shop's."""
    rollout = {
        "drain": drain,
        "monitor": "500ms",
        "health_timeout": "20s",
        "surge": 2,
        **changes.pop("rollout", {}),
    }
    env = {"SERVICE_NAME": "shop", "ACCESS_LOG": "off", **changes.pop("env", {})}
    shop = {
        "routes": ROUTES,
        "replicas": {"initial": 2, "max": 10},
        "sticky": "shop_session",
        **changes,
    }
    neighbour = service(
        env={"SERVICE_NAME": "neighbour", "ACCESS_LOG": "off"},
        routes=[{"path": "/api/shops", "strip": True}],
    )
    stack.write({"shop": service(rollout=rollout, env=env, **shop), "neighbour": neighbour})


@functools.cache
def rate_of_this_machine(at: str) -> float:
    """300 requests a second, or as many as the machine carries with room to spare: one that is
    buried loses requests, whatever msctl does."""
    for rate in (300.0, 150.0, 75.0):
        with Load(*clients(at, rate)) as trial:
            time.sleep(4)
        asked = [found for found in trial.clients if isinstance(found, Requests)]
        if all(found.held > 0.97 and found.lag < ROOM for found in asked):
            break
        log.warning("this machine does not carry %g/s: %s", rate, trial)
    return rate


def clients(at: str, rate: float) -> list[Clients]:
    """GET at that rate a second, POST of a second at a sixth of it, a neighbour at a tenth; 20
    clients that keep their cookies, and 5 WebSockets."""
    shop, neighbour = f"http://{at}/api/shop", f"http://{at}/api/shops"
    return [
        Requests(f"{shop}/get", rate, echo("shop", "/get")),
        Requests(f"{shop}/post", rate / 6, echo("shop", "/post"), method="POST", delay_ms=1000),
        Requests(f"{neighbour}/x", rate / 10, echo("neighbour", "/x")),
        Sessions(f"{shop}/session", 20),
        Sockets(f"ws://{at}/ws", 5),
    ]


def load(stack: Stack, rate: float | None = None, **where: Any) -> Load:
    """All kinds of clients at that rate, or at what the machine carries."""
    at = f"127.0.0.1:{stack.http}"
    return Load(*clients(at, rate or rate_of_this_machine(at)), **where)


def pins(shop: Stack) -> list[str]:
    """What the gateway has of the file provider."""
    found = shop.gateway_api.get("/api/http/services").json()
    return [entry["name"] for entry in found if entry["name"].endswith("@file")]


def cookie(stack: Stack) -> str:
    """The name of the cookie that keeps a client at its replica."""
    container = stack.inspect(next(iter(stack.ids("shop"))))
    label = "traefik.http.services.shop.loadbalancer.sticky.cookie.name"
    return str(container["Config"]["Labels"][label])


def nothing_lost(stack: Stack, traffic: Load, *, same_cookie: bool = True) -> None:
    """Every request was answered by whom it was meant for, and no session or WebSocket was led
    away from a replica that is still there; a new cookie's name starts new sessions."""
    log.info("%s", traffic)
    assert traffic.lost == 0, traffic
    there = {identity[:12] for identity in stack.ids("shop").values()}
    astray = traffic.left & there if same_cookie else set()
    assert not astray, f"led away from {sorted(astray)}: {traffic}"
