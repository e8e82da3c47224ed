"""The engine is restarted in the middle of a rollout."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator

import pytest
from live import GATEWAY_IMAGE, PROXY_IMAGE, SAMPLE, NewStack, PrivateEngine, Stack

from traffic import load, write

log = logging.getLogger(__name__)
pytestmark = [
    pytest.mark.engine,
    pytest.mark.soak,
    pytest.mark.skipif(os.geteuid() != 0, reason="a second engine is started, as root"),
]


@pytest.fixture(params=[(), ("--live-restore",)], ids=["plain", "live-restore"])
def private(request: pytest.FixtureRequest, stacks: NewStack) -> Iterator[PrivateEngine]:
    """An engine of the test's own, with the images."""
    engine = PrivateEngine(*request.param)
    try:
        engine.start()
        engine.load(stacks().engine, SAMPLE, GATEWAY_IMAGE, PROXY_IMAGE)
        yield engine
    finally:
        engine.close()


def test_the_engine_may_restart_in_the_middle_of_a_rollout(
    private: PrivateEngine, request: pytest.FixtureRequest
) -> None:
    """The next `up` converges. What is asked while the engine is away is lost; where it keeps its
    containers alive (live-restore), the gateway and the replicas answer all that reaches them."""
    client = private.client()
    shop = Stack(client, inside=private.inside)
    shop.env["DOCKER_HOST"] = private.host
    write(shop)
    shop.ok("up")
    write(shop, env={"A": "1"}, drain="3s")
    with load(shop, rate=50, enter=private.enter) as traffic:
        rollout = shop.start("up")
        rollout.says("await pin of shop")
        began = time.monotonic()
        private.stop()
        private.start()
        away = time.monotonic() - began
        status = rollout.ended()
        shop.ok("up")
        whole = time.monotonic() - began
    log.info(
        "away %.1f s, whole again after %.1f s; msctl ended with %d; %s",
        away,
        whole,
        status,
        traffic,
    )
    assert status in (0, 1, 3), rollout.lines
    assert json.loads(shop.msctl("status", "--json").out)["pins"] == []
    assert len(shop.ids("shop")) == 2
    assert all("A=1" in shop.inspect(name)["Config"]["Env"] for name in shop.ids("shop"))
    assert shop.msctl("status").status == 0
    if "live-restore" in request.node.name:
        # Docker's port proxy ends with its engine, so that connections are refused meanwhile.
        kinds = {kind for clients in traffic.clients for kind in clients.result.lost}
        assert not {kind for kind in kinds if kind.isdigit() or kind == "misrouted"}, traffic
    shop.destroy()
    client.close()
