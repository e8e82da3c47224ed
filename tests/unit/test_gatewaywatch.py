"""What is told of a gateway that did not catch up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from msctl.engines.compose.api.client import Client
from msctl.engines.compose.steps import AwaitRouted
from msctl.engines.compose.watching.gatewaywatch import GatewayWatch
from msctl.state import Health, Replica

WAIT = AwaitRouted(target="shop-web-1", service="web", timeout=30, network="shop_web", port=80)
LOGS = {
    "shop_traefik": b'INF started\n{"ServiceName": "web@docker"}\nERR Provider error\n',
    "shop-socket-proxy-1": b"cannot bind\n",
    "shop-web-1": b"hello\n",
}


class Engine:
    """An engine that has logs."""

    def call(self, request: Callable[[Any], Any]) -> Any:
        return request(self)

    def logs(self, name: str, **_: object) -> bytes:
        return LOGS[name]


def container(name: str, service: str, state: str, health: Health) -> Replica:
    names = dict.fromkeys(("id", "name"), name)
    made = dict.fromkeys(("config_hash", "revision", "files", "working_dir"), None)
    image = dict.fromkeys(("image", "image_id"), "image")
    return Replica(
        service=service, number=1, state=state, health=health, ours=True, **names, **image, **made
    )


@pytest.mark.parametrize(
    ("state", "health", "told"),
    [
        ("running", Health.HEALTHY, ""),
        (
            "running",
            Health.UNHEALTHY,
            "; shop-socket-proxy-1 is unhealthy, and it hears of changes by that alone",
        ),
        (
            "exited",
            Health.NONE,
            "; shop-socket-proxy-1 is exited, and it hears of changes by that alone",
        ),
    ],
)
def test_a_proxy_that_is_ill_is_named(state: str, health: Health, told: str) -> None:
    """And what gateway and proxy wrote last, without the requests that were served."""
    containers = [
        container("shop-socket-proxy-1", "socket-proxy", state, health),
        container("shop_traefik", "traefik", "running", Health.HEALTHY),
        container("shop-web-1", "web", "running", Health.HEALTHY),
    ]
    watch = GatewayWatch(cast("Client", Engine()), None, cast("Any", None), lambda: containers)
    watch._error = ""
    error = watch.why_not(WAIT)
    assert error.message == (
        "the gateway did not get so far: await routed shop-web-1 within 30s: it lists nothing"
        + told
    )
    assert list(error.log) == [
        "socket-proxy: cannot bind",
        "traefik: INF started",
        "traefik: ERR Provider error",
    ]
