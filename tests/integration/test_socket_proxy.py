"""The gateway asks the engine by a proxy, which lets it look at containers and do nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from live import PROXY_IMAGE, SAMPLE, NewStack, Stack, service, until

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
for method, path in json.loads(sys.argv[2]):
    asked = http.client.HTTPConnection(sys.argv[1], 2375, timeout=10)
    asked.request(method, path)
    print(asked.getresponse().status)
"""
"""Run beside the gateway, on its network to the proxy."""
HEAR = """
import http.client, json, sys
asked = http.client.HTTPConnection(sys.argv[1], 2375, timeout=20)
asked.request("GET", "/v1.41/events?filters=%7B%22type%22%3A%7B%22container%22%3Atrue%7D%7D")
event = json.loads(asked.getresponse().readline())
print(event["Action"], event["Actor"]["Attributes"]["name"])
"""
"""Asks as Traefik does, and prints the first event."""


@pytest.fixture(scope="module")
def shop(module_stacks: NewStack) -> Stack:
    """A stack whose gateway has had the socket, and then got a proxy by `up`, which has the socket
    under another name, as that of a rootless engine has one."""
    stack = module_stacks()
    services = {"web": service("/", replicas={"initial": 1, "max": 3})}
    stack.write(services, gateway={"socket_proxy": "off"})
    stack.ok("up")
    link = stack.folder / "engine.sock"
    link.symlink_to("/var/run/docker.sock")
    stack.write(services, gateway={"socket": str(link)})
    stack.ok("up")
    return stack


def beside(stack: Stack, container: str, *words: str) -> str:
    """What a program says that runs where a container is."""
    said: bytes = stack.engine.containers.run(
        SAMPLE,
        ["-c", *words],
        entrypoint=["python3"],
        network_mode=f"container:{container}",
        remove=True,
    )
    return said.decode()


def answers(stack: Stack, asked: list[tuple[str, str]]) -> list[int]:
    """What the proxy says to somebody who sits where the gateway sits."""
    web = stack.ids("web").popitem()[0]
    questions = json.dumps([(method, path.format(web=web)) for method, path in asked])
    said = beside(stack, f"{stack.project}_traefik", ASK, "socket-proxy", questions)
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


def test_what_happens_between_the_list_and_the_events_is_told(shop: Stack) -> None:
    """Of one project alone: a gateway that starts, or comes back to its proxy, misses nothing."""
    containers, label = shop.engine.containers, "com.docker.compose.project"
    own = f"{shop.project}-own"  # the shop's gateway is to hear of nothing here
    proxy = containers.run(
        PROXY_IMAGE,
        environment={"MSCTL_PROJECT": own},
        volumes=["/var/run/docker.sock:/var/run/docker.sock:ro"],
        detach=True,
        init=True,
    )
    made = [proxy]
    try:
        until(lambda: b"200" in _asked(proxy, "/containers/json"), 20, "the proxy answers")
        for project in (f"{shop.project}-another", own):
            made.append(
                containers.run(
                    SAMPLE,
                    ["60"],
                    entrypoint=["sleep"],
                    labels={label: project},
                    name=f"{project}-1",
                    detach=True,
                )
            )
        told = beside(shop, proxy.id, HEAR, "127.0.0.1")
        assert told.split() == ["start", f"{own}-1"]
    finally:
        for container in made:
            container.remove(force=True)


def _asked(proxy: Any, path: str) -> bytes:
    """The answer to one question, asked in the proxy itself."""
    _, output = proxy.exec_run(["wget", "-S", "-q", "-O/dev/null", f"http://127.0.0.1:2375{path}"])
    said: bytes = output
    return said


def test_without_it_the_gateway_serves_on(shop: Stack) -> None:
    """It keeps what it knows while the proxy is away, `status` says so, and `up` mends it: a
    replica that comes then is routed."""
    proxy = shop.engine.containers.get(f"{shop.project}-socket-proxy-1")
    proxy.stop(timeout=0)
    assert [shop.visitor.get("/").status_code for _ in range(5)] == [200] * 5
    status = shop.msctl("status", "--json")
    assert status.status == 1
    problems = json.loads(status.out)["problems"]
    assert "socket_proxy" in [p["kind"] for p in problems if p["severity"] == "error"], problems
    shop.ok("up")
    shop.ok("scale", "web", "2")
    until(lambda: len(shop.visitor.replicas("/", 6)) == 2, 30, "both replicas answer")
