"""Stacks under load: nothing that is asked is lost."""

from __future__ import annotations

from typing import Any

from live import Stack, service
from load import Load, Requests, echo

DRAIN = "1200ms"
"""Longer than the longest request of the load."""


def write(stack: Stack, *, drain: str = DRAIN, **changes: Any) -> None:
    """The stack file of a shop, and of a neighbour whose path begins like the shop's."""
    rollout = {"drain": drain, "health_timeout": "10s", **changes.pop("rollout", {})}
    env = {"SERVICE_NAME": "shop", "ACCESS_LOG": "off", **changes.pop("env", {})}
    shop = {
        "routes": [{"path": "/api/shop", "strip": True}],
        "replicas": {"initial": 2, "max": 10},
        "sticky": "shop_session",
        **changes,
    }
    neighbour = service(
        env={"SERVICE_NAME": "neighbour", "ACCESS_LOG": "off"},
        routes=[{"path": "/api/shops", "strip": True}],
    )
    stack.write({"shop": service(rollout=rollout, env=env, **shop), "neighbour": neighbour})


def load(stack: Stack, rate: float = 100) -> Load:
    """GET at that rate a second, POST of a second at a fifth of it, and a neighbour likewise."""
    url = f"{stack.visitor.url}/api"
    return Load(
        Requests(f"{url}/shop/get", rate, echo("shop", "/get")),
        Requests(f"{url}/shop/post", rate / 5, echo("shop", "/post"), method="POST", delay_ms=1000),
        Requests(f"{url}/shops/x", rate / 5, echo("neighbour", "/x")),
    )
