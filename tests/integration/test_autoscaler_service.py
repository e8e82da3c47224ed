"""A stack that scales itself: `msctl autoscale` in a container, with a proxy of its own."""

from __future__ import annotations

import json
import re
import secrets
from contextlib import suppress
from typing import Any

import docker
import pytest
from docker.errors import APIError, ImageNotFound
from docker.models.containers import Container
from live import SAMPLE, NewStack, Stack, service, until
from load import Load, Requests, echo

from msctl.cli.app import App
from msctl.config import load
from msctl.files.lock import Holder, StackLock, lock_folder
from msctl.ownimage import reference
from msctl.render.autoscaler import IMAGE

pytestmark = pytest.mark.engine

SOON = 120.0
"""Seconds after which what has to come is taken not to come, on a busy machine too."""
WAITING = ("--wait-lock", f"{SOON:g}")
"""The autoscaler may be at work."""
SCALING = {"autoscaler": {"enabled": True, "interval": "1s"}}
ASK = """
import http.client, json, sys
for method, path in json.loads(sys.argv[1]):
    asked = http.client.HTTPConnection("autoscaler-proxy", 2375, timeout=10)
    asked.request(method, path)
    print(asked.getresponse().status)
"""
KILL = """
import os
for name in os.listdir("/proc"):
    if name.isdigit() and int(name) not in (1, os.getpid()):
        os.kill(int(name), 9)
"""
"""Its first process, which is not msctl's, then ends as the killed one did."""
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
def older(engine: docker.DockerClient) -> str:
    """An image that another version of msctl built, in the place of this one's."""
    with suppress(ImageNotFound, APIError):  # a stack that is up keeps it
        engine.images.remove(reference())
    tag = f"{IMAGE}:0.0.1-{secrets.token_hex(6)}"
    engine.images.get(SAMPLE).tag(tag)
    return tag


@pytest.fixture(scope="module")
def shop(module_stacks: NewStack, older: str) -> Stack:  # noqa: ARG001
    """A stack with an autoscaler that looks every second."""
    stack = module_stacks()
    stack.write({"web": web(), "idle": service(health=None)}, **SCALING)
    stack.ok("up")
    return stack


def web(**changes: Any) -> dict[str, Any]:
    return service(
        "/",
        replicas={"initial": 1, "min": 1, "max": 4},
        autoscale={"min": 1, "max": 3, "rps": 15, "stabilize_down": "3s"},
        env={"SERVICE_NAME": "web"},
        **changes,
    )


def under_load(shop: Stack, rate: float) -> Load:
    return Load(Requests(f"{shop.visitor.url}/x", rate, echo("web", "/x")))


def lock_of(shop: Stack) -> StackLock:
    """The lock as a msctl on the host takes it."""
    app = App(environ=shop.env)
    loaded = load(shop.folder / shop.file, shop.env)
    return StackLock(
        lock_folder(), app.connect("compose", loaded, shop.env, print).info().id, shop.project
    )


def says(stack: Stack) -> str:
    return stack.engine.api.logs(f"{stack.project}-autoscaler-1").decode()


def test_the_image_is_of_this_msctl(shop: Stack, older: str) -> None:
    """`up` built it, under a name of its contents, and took away what nobody uses of an older one;
    with the same msctl there is nothing to do again."""
    scaler = shop.inspect(f"{shop.project}-autoscaler-1")
    assert scaler["Config"]["Image"] == reference()
    with pytest.raises(ImageNotFound):
        shop.engine.images.get(older)
    assert "nothing to do" in shop.ok("up").err


def test_it_follows_the_load_and_nothing_is_lost(shop: Stack) -> None:
    """Up under the load, and down when it is over, without a word typed."""
    with under_load(shop, 30) as load:
        up = "web 1 → [23]: requests/s"
        until(lambda: re.search(up, says(shop)), SOON, "it scales up", every=0.1)
        until(lambda: len(shop.ids("web")) > 1, SOON, "there are more", every=0.1)
    until(lambda: len(shop.ids("web")) == 1, SOON, "one replica is left", every=0.2)
    assert load.lost == 0, load
    assert "refused" not in shop.engine.api.logs(f"{shop.project}-autoscaler-proxy-1").decode()


def test_a_hand_is_not_fought(shop: Stack) -> None:
    """What somebody scales stays, and the lock of the host's msctl is the autoscaler's too."""
    shop.ok("scale", "web", "2", *WAITING)
    until(lambda: "scaled by hand to 2, which stays" in says(shop), SOON, "it says so", every=0.1)
    assert len(shop.ids("web")) == 2
    mounts = {mount["Source"] for mount in shop.inspect(f"{shop.project}-autoscaler-1")["Mounts"]}
    assert str(lock_folder()) in mounts


def test_the_lock_is_honoured(shop: Stack) -> None:
    """While a msctl on the host works on the stack, the autoscaler changes nothing."""
    with lock_of(shop).held("a test", App().now(), wait=SOON), under_load(shop, 60):
        before = shop.ids("web")
        held = f"another msctl works on {shop.project}"
        until(lambda: held in says(shop), SOON, "it says so", every=0.1)
        assert shop.ids("web") == before


def test_an_edited_file_is_not_deployed(shop: Stack) -> None:
    """Image, environment, a new service and one that left: it says so, and brings copies of what
    runs; whatever else there is on the engine stays. A msctl on the host that comes in between is
    told who is at work."""
    shop.ok("scale", "web", "1", *WAITING)
    until(lambda: len(shop.ids("web")) == 1, SOON, "one is left", every=0.1)
    original, lock = (shop.folder / shop.file).read_text(), lock_of(shop)
    edited = web(image="nowhere/at-all:1")
    edited["env"]["NEW"] = "1"
    shop.write({"web": edited, "more": service()}, **SCALING)
    stranger = shop.inspect(shop.stranger("sleep", "600"))
    around = [shop.ids("idle"), shop.ids("traefik"), shop.ids("autoscaler-proxy")]
    until(lambda: "stack.yaml has been edited" in says(shop), SOON, "it says so", every=0.1)
    scaler = shop.engine.containers.get(f"{shop.project}-autoscaler-1")
    with under_load(shop, 40) as peak:
        signed = until(lambda: _caught(lock, scaler), SOON, "it works on the stack", every=0.01)
        assert (signed.host, "autoscale" in signed.command) == ("autoscaler", True)
        second = shop.msctl("scale", "web", "2")
        scaler.unpause()
        assert (second.status, "in autoscaler (msctl autoscale" in second.err) == (4, True), second
        until(lambda: len(shop.ids("web")) == 3, SOON, "there are three", every=0.1)
    made = [shop.inspect(name)["Config"] for name in shop.ids("web")]
    assert {one["Image"] for one in made} == {SAMPLE}
    assert not [one for one in made if "NEW=1" in one["Env"]]
    assert shop.ids("more") == {}
    assert [shop.ids("idle"), shop.ids("traefik"), shop.ids("autoscaler-proxy")] == around
    assert shop.inspect(stranger["Id"])["State"]["StartedAt"] == stranger["State"]["StartedAt"]
    (shop.folder / shop.file).write_text(original)
    until(lambda: "stack.yaml is as it was again" in says(shop), SOON, "it says so", every=0.1)
    assert peak.lost == 0, peak


def _caught(lock: StackLock, scaler: Container) -> Holder | None:
    """The autoscaler, paused in the middle of its work: the lock stays held."""
    if _signed(lock) is None:
        return None
    scaler.pause()
    if (found := _signed(lock)) is None:  # it was about to end
        scaler.unpause()
    return found


def _signed(lock: StackLock) -> Holder | None:
    holder = lock.holder()
    return holder if holder and holder.host else None


def test_what_it_decides_can_be_scraped(shop: Stack) -> None:
    """From inside the stack only."""
    code = "import urllib.request as u; print(u.urlopen('http://autoscaler:9101/metrics').read())"
    told = shop.engine.containers.run(
        SAMPLE, ["-c", code], entrypoint=["python3"], network=f"{shop.project}_gateway", remove=True
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


@pytest.mark.soak
def test_killed_in_the_middle_it_goes_on_where_it_was(shop: Stack) -> None:
    """SIGKILL while a pin is in force, on the way down: the engine starts it anew, what it had
    begun is finished, and no request is lost."""
    lock, scaler = lock_of(shop), shop.engine.containers.get(f"{shop.project}-autoscaler-1")
    shop.ok("up", "--reset-scale", *WAITING)
    with under_load(shop, 5) as steady:
        with under_load(shop, 40):
            until(lambda: len(shop.ids("web")) == 3, SOON, "there are three", every=0.1)
        until(lambda: _pinned(shop), SOON, "the first are drained", every=0.02)
        assert lock.holder() is not None
        scaler.exec_run(["python3", "-c", KILL])
        until(lambda: len(shop.ids("web")) == 1, SOON, "one is left", every=0.2)
        until(lambda: not _pinned(shop), SOON, "the pin is gone", every=0.2)
    scaler.reload()
    assert scaler.attrs["RestartCount"] > 0
    assert steady.lost == 0, steady


def _pinned(shop: Stack) -> bool:
    names = [found["name"] for found in shop.gateway_api.get("/api/http/services").json()]
    return any(name.endswith("@file") and name.startswith("web-") for name in names)


def test_its_proxy_may_go_and_come_back(shop: Stack) -> None:
    """Without the engine it holds, says so once, and goes on; also where no resolver answers for
    the proxy's name."""
    proxy = shop.engine.containers.get(f"{shop.project}-autoscaler-proxy-1")
    scaler = shop.engine.containers.get(f"{shop.project}-autoscaler-1")
    resolver = scaler.exec_run(["cat", "/etc/resolv.conf"]).output.decode()
    silent = "search example.invalid\nnameserver 192.0.2.1"  # of RFC 5737: nobody's
    _resolver(shop, scaler, resolver.replace("nameserver 127.0.0.11", silent))
    proxy.stop(timeout=5)
    until(lambda: "nothing is changed until it does" in says(shop), SOON, "it says so", every=0.1)
    _resolver(shop, scaler, resolver)
    proxy.start()  # also in the middle of a change, which it then finishes
    until(lambda: "the engine answers again" in says(shop), SOON, "it says so", every=0.1)
    assert says(shop).count("nothing is changed until it does") == 1
    until(lambda: len(shop.ids("web")) == 1 and not _pinned(shop), SOON, "one is left", every=0.2)


def _resolver(shop: Stack, scaler: Container, text: str) -> None:
    """Give the container another /etc/resolv.conf, which is a file of the engine's."""
    shop.engine.containers.run(
        SAMPLE,
        ["-c", "import sys; open('/its', 'w').write(sys.argv[1])", text],
        entrypoint=["python3"],
        user="0",
        volumes={scaler.attrs["ResolvConfPath"]: {"bind": "/its", "mode": "rw"}},
        remove=True,
    )


def test_sigterm_ends_it(shop: Stack) -> None:
    """At once where it does nothing; `status` warns, and `up` brings it back."""
    scaler = shop.engine.containers.get(f"{shop.project}-autoscaler-1")
    scaler.stop(timeout=20)
    scaler.reload()
    assert scaler.attrs["State"]["ExitCode"] == 0
    kinds = [p["kind"] for p in json.loads(shop.ok("status", "--json").out)["problems"]]
    assert "autoscaler" in kinds
    shop.ok("up", *WAITING)
    scaler.reload()
    assert scaler.status == "running"
