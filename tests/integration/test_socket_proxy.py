"""The gateway asks the engine by a proxy, which lets it look at containers and do nothing."""

from __future__ import annotations

import json
import time

import pytest
from live import NewStack, Stack, service, until

pytestmark = pytest.mark.engine

ALLOWED = [
    ("GET", "/_ping"),
    ("HEAD", "/_ping"),
    ("GET", "/v1.41/version"),
    ("GET", "/v1.41/containers/json?all=1"),
    ("GET", "/v1.41/containers/{web}/json"),
]
REFUSED = [
    ("POST", "/containers/create"),
    ("POST", "/v1.41/containers/{web}/kill"),
    ("POST", "/v1.41/containers/{web}/exec"),
    ("POST", "/v1.41/containers/json"),
    ("DELETE", "/v1.41/containers/{web}?force=1"),
    ("PUT", "/v1.41/containers/{web}/archive?path=/"),
    ("GET", "/v1.41/containers/{web}/archive?path=/etc/passwd"),
    ("GET", "/v1.41/containers/{web}/logs?stdout=1"),
    ("GET", "/v1.41/containers/{web}/attach/ws"),
    ("GET", "/v1.41/containers/{web}%2Farchive%3Fpath=%2Fetc/json"),
    ("GET", "/v1.41/containers/../images/json"),
    ("GET", "/v1.41/images/json"),
    ("GET", "/v1.41/secrets"),
    ("GET", "/v1.41/exec/1/json"),
    ("GET", "/v1.41/info"),
    ("GET", "/v1.41/volumes"),
]
ASK = """
import http.client, json, sys
for method, path in json.loads(sys.argv[1]):
    asked = http.client.HTTPConnection("socket-proxy", 2375, timeout=10)
    asked.request(method, path)
    print(asked.getresponse().status)
"""
"""Run beside the gateway, on its network to the proxy."""


@pytest.fixture(scope="module")
def shop(module_stacks: NewStack) -> Stack:
    """A stack whose gateway has had the socket, and then got a proxy by `up`."""
    stack = module_stacks()
    services = {"web": service("/", replicas={"initial": 1, "max": 3})}
    stack.write(services, gateway={"socket_proxy": "off"})
    stack.ok("up")
    stack.write(services)
    stack.ok("up")
    return stack


def answers(stack: Stack, asked: list[tuple[str, str]]) -> list[int]:
    """What the proxy says to somebody who sits where the gateway sits."""
    web = stack.ids("web").popitem()[0]
    questions = json.dumps([(method, path.format(web=web)) for method, path in asked])
    said = stack.engine.containers.run(
        "msctl-test/sample:latest",
        ["-c", ASK, questions],
        entrypoint=["python3"],
        network_mode=f"container:{stack.project}_traefik",
        remove=True,
    )
    return [int(status) for status in said.split()]


def test_the_gateway_routes_by_what_it_may_see(shop: Stack) -> None:
    """The stack that had the socket in its gateway works as before, and the socket is gone."""
    assert shop.visitor.get("/").status_code == 200
    mounts = shop.inspect(f"{shop.project}_traefik")["Mounts"]
    assert [m["Destination"] for m in mounts] == ["/etc/traefik/dynamic"]
    assert answers(shop, ALLOWED) == [200] * len(ALLOWED)
    assert json.loads(shop.ok("status", "--json").out)["healthy"]


def test_nothing_else_gets_through(shop: Stack) -> None:
    """Neither a change, nor what containers say, hold or keep: each is answered 403."""
    before = shop.ids()
    assert answers(shop, REFUSED) == [403] * len(REFUSED)
    assert shop.ids() == before
    assert shop.visitor.get("/").status_code == 200


def test_only_the_gateway_reaches_it(shop: Stack) -> None:
    """Nobody else is on its network, which leads nowhere, and it has no other network or port."""
    [network] = shop.engine.networks.list(names=[f"{shop.project}_socket-proxy"])
    network.reload()
    assert network.attrs["Internal"]
    members = {one["Name"] for one in network.attrs["Containers"].values()}
    assert members == {f"{shop.project}_traefik", f"{shop.project}-socket-proxy-1"}
    proxy = shop.inspect(f"{shop.project}-socket-proxy-1")
    assert list(proxy["NetworkSettings"]["Networks"]) == [network.name]
    assert not proxy["NetworkSettings"]["Ports"]


def test_it_is_not_root(shop: Stack) -> None:
    """HAProxy runs as a user of its own, without a capability."""
    process = shop.engine.containers.get(f"{shop.project}-socket-proxy-1").top(
        ps_args="-eo pid,uid,cmd"
    )
    users = {cmd.split()[0]: uid for _, uid, cmd in process["Processes"] if "haproxy -db" in cmd}
    assert users.pop("haproxy") != "0"


@pytest.mark.alone  # what asks of every container at that moment, for an event, learns of none
def test_without_it_the_gateway_serves_on(shop: Stack) -> None:
    """It keeps what it knows while the proxy is away, `status` says so, and `up` mends it: a
    replica that comes then is routed."""
    proxy = shop.engine.containers.get(f"{shop.project}-socket-proxy-1")
    time.sleep(1)  # what ended before this test had its turn is an event too
    proxy.stop(timeout=0)
    assert [shop.visitor.get("/").status_code for _ in range(5)] == [200] * 5
    status = shop.msctl("status", "--json")
    assert status.status == 1
    problems = json.loads(status.out)["problems"]
    assert "socket_proxy" in [p["kind"] for p in problems if p["severity"] == "error"], problems
    shop.ok("up")
    shop.ok("scale", "web", "2")
    until(lambda: len(shop.visitor.replicas("/", 6)) == 2, 5, "both replicas answer")
