"""The gateway meets what it leads to in a network of its own, and reaches nothing else."""

from __future__ import annotations

import logging
import time

import pytest
from live import NewStack, Stack, service
from load import Load, Requests, echo

from msctl.engines.compose.planning.reach import GATEWAY_PRIORITY_API

pytestmark = pytest.mark.engine
log = logging.getLogger(__name__)
MARK = "kept-by-the-database"
UPGRADE = 240.0
"""Seconds that its steps may take on a busy machine."""


def services() -> dict[str, object]:
    """Something with a route, a database that it needs, and a worker without a route."""
    env = {"SERVICE_NAME": "web", "ACCESS_LOG": "off"}
    web = service("/web", env=env, needs=["db"], replicas=2)
    db = service(stateful=True, port=None, health=None, volumes=["data:/data"])
    return {"web": web, "db": db, "worker": service()}


@pytest.fixture(scope="module")
def shop(module_stacks: NewStack) -> Stack:
    """All in one network, as it was where a file named none."""
    stack = module_stacks()
    stack.write(services(), networks=["backend"])
    stack.ok("up")
    status, _ = stack.engine.containers.get(f"{stack.project}-db-1").exec_run(
        ["sh", "-c", f"echo {MARK} > /data/mark"], user="root"
    )
    assert status == 0
    assert shared(stack, "db"), "it begins with the old form"
    return stack


def attached(stack: Stack, service: str) -> set[str]:
    """The engine's word on the networks of a service's containers."""
    return {
        network
        for name in stack.ids(service)
        for network in stack.inspect(name)["NetworkSettings"]["Networks"]
    }


def shared(stack: Stack, service: str) -> set[str]:
    """The networks that a service and the gateway are both on."""
    return attached(stack, service) & attached(stack, "traefik")


def test_the_upgrade_keeps_data_and_replicas_and_costs_the_gateways_restart(shop: Stack) -> None:
    """What has no routes is not touched; what has them is rolled without a loss. The plan says that
    the gateway goes, and that it leaves the old network, which costs nothing more."""
    before = shop.ids()
    shop.write(services())
    plan = shop.ok("up", "--dry-run")
    assert "the gateway is replaced: for some seconds no request is answered" in plan.err
    assert f"leave network {shop.project}_backend" in plan.out + plan.err

    load = Load(Requests(f"http://127.0.0.1:{shop.http}/web/x", 50, echo("web", "/web/x")))
    with load:
        time.sleep(0.5)
        up = shop.start("up")
        up.says("await pin of web", UPGRADE)
        while_it_started = load.lost
        up.says("await servers of web", UPGRADE)
        assert load.lost == while_it_started, f"lost while web was rolled: {load}"
        assert up.ended() == 0, up.lines
        time.sleep(0.5)
    api = tuple(map(int, shop.engine.api.version()["ApiVersion"].split(".")))
    if api >= GATEWAY_PRIORITY_API:  # older engines move its ports
        assert load.lost == while_it_started, f"lost when it left a network: {load}"
    after = shop.ids()
    for name in (f"{shop.project}-db-1", f"{shop.project}-worker-1"):
        assert after[name] == before[name]
    log.info("the change of networks: %s", load)
    db = shop.engine.containers.get(f"{shop.project}-db-1")
    assert db.exec_run(["cat", "/data/mark"]).output.decode().strip() == MARK
    assert "nothing to do" in shop.ok("up").err
    assert shop.msctl("status").status == 0


def test_nothing_without_a_route_shares_a_network_with_the_gateway(shop: Stack) -> None:
    """By the engine's word, and by trying it from inside the gateway's networks."""
    assert attached(shop, "traefik") == {
        f"{shop.project}_gateway",
        f"{shop.project}_socket-proxy",
    }
    assert attached(shop, "db") == attached(shop, "worker") == {f"{shop.project}_backend"}
    assert attached(shop, "web") == {f"{shop.project}_backend", f"{shop.project}_gateway"}
    assert shared(shop, "db") == shared(shop, "worker") == set()
    worker = shop.inspect(f"{shop.project}-worker-1")["NetworkSettings"]["Networks"]
    address = worker[f"{shop.project}_backend"]["IPAddress"]
    reaching = f"import socket; socket.create_connection(('{address}', 8000), 2)"
    tried = shop.engine.containers.run(
        "msctl-test/sample:latest",
        ["-c", f"try:\n {reaching}\n print('reached')\nexcept OSError as e:\n print('kept off')"],
        entrypoint="python3",
        network=f"{shop.project}_gateway",
        remove=True,
    )
    assert tried.decode().strip() == "kept off"
    assert shop.visitor.echo("/web/y")["path"] == "/web/y"


def test_docker_compose_finds_nothing_to_change(shop: Stack) -> None:
    """The rendered file has the same hashes, and the same networks."""
    before = shop.ids()
    shop.ok("render", "compose", "-o", "docker-compose.yml")
    shop.compose("up", "-d")
    assert shop.ids() == before
