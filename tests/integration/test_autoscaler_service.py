"""A stack that scales itself: `msctl autoscale` in a container, with a proxy of its own."""

from __future__ import annotations

import json
import re
from io import BytesIO

import docker
import pytest
from live import SAMPLE, NewStack, Stack, service, until

from msctl.cli.app import App
from msctl.config import load
from msctl.engines.compose.ownimage import context
from msctl.lock import StackLock, lock_folder
from msctl.render.autoscaler import IMAGE

pytestmark = pytest.mark.engine

ASK = """
import http.client, json, sys
for method, path in json.loads(sys.argv[1]):
    asked = http.client.HTTPConnection("autoscaler-proxy", 2375, timeout=10)
    asked.request(method, path)
    print(asked.getresponse().status)
"""
REFUSED = [
    ("POST", "/v1.41/containers/web/exec"),
    ("POST", "/v1.41/containers/web/kill"),
    ("POST", "/v1.41/build"),
    ("POST", "/v1.41/images/create?fromImage=a"),
    ("POST", "/v1.41/networks/create"),
    ("DELETE", "/v1.41/volumes/data"),
    ("GET", "/v1.41/containers/web/archive?path=/run/secrets"),
    ("PUT", "/v1.41/containers/web/archive?path=/"),
    ("GET", "/v1.41/secrets"),
]


@pytest.fixture(scope="module")
def image(engine: docker.DockerClient) -> None:
    """msctl's own, as it is in this tree, not as an earlier `up` built it."""
    for message in engine.api.build(
        fileobj=BytesIO(context()), custom_context=True, tag=IMAGE, rm=True, decode=True
    ):
        assert "error" not in message, message["error"]


@pytest.fixture(scope="module")
def shop(module_stacks: NewStack, image: None) -> Stack:  # noqa: ARG001
    """A stack with an autoscaler that looks every second."""
    stack = module_stacks()
    web = service(
        "/",
        replicas={"initial": 1, "min": 1, "max": 4},
        autoscale={"min": 1, "max": 3, "rps": 15, "stabilize_down": "3s"},
    )
    stack.write({"web": web}, autoscaler={"enabled": True, "interval": "1s"})
    stack.ok("up")
    return stack


def says(stack: Stack) -> str:
    return stack.engine.api.logs(f"{stack.project}-autoscaler-1").decode()


def test_it_follows_the_load_and_nothing_is_lost(shop: Stack) -> None:
    """Up under the load, and down when it is over, without a word typed."""
    report = json.loads(
        shop.ok("load-test", "web", "--rate", "30", "--duration", "6s", "--json").out
    )
    assert report["failed"] == 0, report["statuses"]
    assert re.search("web 1 → [23]: requests/s", says(shop))
    until(lambda: len(shop.ids("web")) == 1, 25, "one replica is left", every=0.2)
    assert "refused" not in shop.engine.api.logs(f"{shop.project}-autoscaler-proxy-1").decode()


def test_a_hand_is_not_fought(shop: Stack) -> None:
    """What somebody scales stays, and the lock of the host's msctl is the autoscaler's too."""
    shop.ok("scale", "web", "2")
    until(lambda: "scaled by hand to 2, which stays" in says(shop), 10, "it says so", every=0.1)
    assert len(shop.ids("web")) == 2
    mounts = {mount["Source"] for mount in shop.inspect(f"{shop.project}-autoscaler-1")["Mounts"]}
    assert str(lock_folder()) in mounts


def test_the_lock_is_honoured(shop: Stack) -> None:
    """While a msctl on the host works on the stack, the autoscaler changes nothing."""
    loaded = load(shop.folder / shop.file, shop.env)
    app = App(environ=shop.env)
    engine = app.connect("compose", loaded, shop.env).info().id
    with StackLock(lock_folder(), engine, shop.project).held("a test", app.now(), wait=5):
        shop.msctl("load-test", "web", "--rate", "60", "--duration", "4s")
        held = f"another msctl works on {shop.project}"
        until(lambda: held in says(shop), 10, "it says so", every=0.1)
        assert len(shop.ids("web")) == 2


def test_what_it_decides_can_be_scraped(shop: Stack) -> None:
    """From inside the stack only."""
    code = "import urllib.request as u; print(u.urlopen('http://autoscaler:9101/metrics').read())"
    told = shop.engine.containers.run(
        SAMPLE, ["-c", code], entrypoint=["python3"], network=f"{shop.project}_backend", remove=True
    ).decode()
    assert 'msctl_autoscaler_wanted_replicas{service="web"}' in told
    assert 'msctl_autoscaler_decisions_total{change="up",metric="rps",service="web"}' in told
    assert not shop.inspect(f"{shop.project}-autoscaler-1")["HostConfig"]["PortBindings"]


def test_its_proxy_lets_through_what_scaling_takes(shop: Stack) -> None:
    """It runs nothing in containers, reads no file of theirs, and removes no data."""
    said = shop.engine.containers.run(
        SAMPLE,
        ["-c", ASK, json.dumps(REFUSED)],
        entrypoint=["python3"],
        network=f"{shop.project}_autoscaler-proxy",
        remove=True,
    )
    assert [int(status) for status in said.split()] == [403] * len(REFUSED)


def test_sigterm_ends_it(shop: Stack) -> None:
    """At once where it does nothing; `status` warns, and `up` brings it back."""
    scaler = shop.engine.containers.get(f"{shop.project}-autoscaler-1")
    scaler.stop(timeout=20)
    scaler.reload()
    assert scaler.attrs["State"]["ExitCode"] == 0
    kinds = [p["kind"] for p in json.loads(shop.ok("status", "--json").out)["problems"]]
    assert "autoscaler" in kinds
    shop.ok("up")
    scaler.reload()
    assert scaler.status == "running"
