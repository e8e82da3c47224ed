"""What stands between the gateway and the engine's socket: rendered, planned, and looked at."""

from __future__ import annotations

from typing import Any

import pytest
from memory import MemoryEngine, World, finish, images_of, lines, planned, running, stack_of

from msctl.assessment.assess import assess
from msctl.config import load_text
from msctl.engines.compose.steps import ProvideImage
from msctl.errors import StackFileError, UsageProblem
from msctl.model import Stack
from msctl.render.compose import compose_file, document
from msctl.render.socketproxy import DOCKERFILE, IMAGE
from msctl.request import Down, Scale, Up

WEB = {"port": 80, "routes": ["/"], "health": {"path": "/health"}}
SOCKET = "/var/run/docker.sock:/var/run/docker.sock:ro"


def shop(proxy: Any = None, **services: Any) -> Stack:
    gateway = {"socket_proxy": {} if proxy is None else proxy}
    return stack_of({"web": WEB, **services}, gateway=gateway)


def test_the_socket_is_the_proxys_alone() -> None:
    """The gateway asks by a network on which nobody else is, and which leads nowhere."""
    found = document(shop(db={}))
    with_socket = [n for n, s in found["services"].items() if SOCKET in s.get("volumes", ())]
    assert with_socket == ["socket-proxy"]
    joined = [n for n, s in found["services"].items() if "socket-proxy" in s["networks"]]
    assert joined == ["traefik", "socket-proxy"]
    assert list(found["networks"]) == ["backend", "gateway", "socket-proxy"]
    assert found["networks"]["socket-proxy"] == {"internal": True}
    assert (
        "--providers.docker.endpoint=tcp://socket-proxy:2375"
        in (found["services"]["traefik"]["command"])
    )


@pytest.mark.parametrize("proxy", [{}, "off"])
def test_the_socket_may_be_elsewhere(proxy: Any) -> None:
    """That of a rootless engine is; where the proxy or the gateway has it stays as it was."""
    path = "/run/user/1000/docker.sock"
    stack = stack_of({"web": WEB}, gateway={"socket_proxy": proxy, "socket": path})
    mounts = [v for s in document(stack)["services"].values() for v in s.get("volumes", ())]
    assert [mount for mount in mounts if ".sock" in mount] == [
        f"{path}:{'/run' if proxy else '/var/run'}/docker.sock:ro"
    ]


def test_the_proxy_has_no_power() -> None:
    """It cannot write, gain rights, or be reached from outside; it can become another user."""
    proxy = document(shop())["services"]["socket-proxy"]
    assert proxy["read_only"] is True
    assert (proxy["cap_drop"], proxy["cap_add"]) == (["ALL"], ["SETGID", "SETUID"])
    assert proxy["security_opt"] == ["no-new-privileges:true"]
    assert not {"ports", "privileged", "network_mode", "pid"} & proxy.keys()


def test_its_image_is_named_by_what_is_in_it() -> None:
    """The Dockerfile needs no other file, has nothing that Compose would take for a variable, and
    stands in the Compose file."""
    proxy = document(shop())["services"]["socket-proxy"]
    assert proxy["image"] == IMAGE
    assert proxy["build"] == {"dockerfile_inline": DOCKERFILE}
    assert "$" not in DOCKERFILE
    assert "COPY" not in DOCKERFILE
    assert "dockerfile_inline: |-\n        FROM debian" in compose_file(shop(), source="stack.yaml")


def test_it_shows_the_gateway_its_own_project() -> None:
    """And no other image is asked to, which would not know how."""
    assert document(shop())["services"]["socket-proxy"]["environment"] == {"MSCTL_PROJECT": "shop"}


def test_another_image_is_told_the_same_rules() -> None:
    """By the variables of a widespread proxy; msctl builds nothing then."""
    proxy = document(shop({"image": "proxy:1"}))["services"]["socket-proxy"]
    assert (proxy["image"], "build" in proxy) == ("proxy:1", False)
    allowed = {name for name, value in proxy["environment"].items() if value == "1"}
    assert allowed == {"CONTAINERS", "EVENTS", "PING", "VERSION"}
    assert proxy["environment"]["POST"] == "0"


@pytest.mark.parametrize("off", ["off", False])
def test_without_it_the_gateway_has_the_socket(off: Any) -> None:
    """Nothing of the proxy is left."""
    found = document(shop(off))
    assert list(found["services"]) == ["traefik", "web"]
    gateway = found["services"]["traefik"]
    assert "/var/run/docker.sock:/run/docker.sock:ro" in gateway["volumes"]
    assert "--providers.docker.endpoint=unix:///run/docker.sock" in gateway["command"]
    assert "depends_on" not in gateway
    assert gateway["networks"] == ["gateway"]
    assert list(found["networks"]) == ["backend", "gateway"]


def test_no_gateway_no_proxy() -> None:
    """A stack without routes has neither."""
    assert list(document(stack_of({"db": {}}, gateway={"socket_proxy": {}}))["services"]) == ["db"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gateway: {socket_proxy: on}", "gateway.socket_proxy: on is not a proxy"),
        ("gateway: {socket_proxy: {imag: a}}", "gateway.socket_proxy: unknown key 'imag'; did you"),
        (
            "gateway: {socket: docker.sock}",
            "gateway.socket: docker.sock is not the absolute path of",
        ),
        (
            "gateway: {socket: '/a:/b'}",
            "gateway.socket: /a:/b is not the absolute path of a socket",
        ),
        ("networks: [backend, socket-proxy]", "networks[1]: network socket-proxy is msctl's own"),
    ],
)
def test_what_is_wrong_in_the_file_is_told(text: str, message: str) -> None:
    """With the place, and what is allowed."""
    with pytest.raises(StackFileError) as raised:
        load_text(f"name: a\nservices: {{b: {{image: c}}}}\n{text}\n", name="s", environ={})
    assert message in str(raised.value)


def test_up_starts_it_before_the_gateway() -> None:
    """The gateway comes after its start, but not after its first check; what it lists is waited for
    after that."""
    stack = shop()
    world = World().have(IMAGE, *images_of(stack))
    assert str(planned(world, stack)) == lines(
        """
        #1 create network shop_socket-proxy
        #2 create shop-socket-proxy-1, it is not there after #1
        #3 start shop-socket-proxy-1, it is not there after #2
        #4 await healthy shop-socket-proxy-1 after #3
        #5 create network shop_gateway
        #6 create volume shop_gateway
        #7 create shop_traefik, it is not there after #1 #5 #6
        #8 clear pins of shop_traefik after #3 #7
        #9 start shop_traefik, it is not there after #8
        #10 await healthy shop_traefik after #9
        #11 create network shop_backend
        #12 create shop-web-1, it is not there after #5 #11
        #13 start shop-web-1, it is not there after #12
        #14 await healthy shop-web-1 after #13
        #15 await routed shop-web-1 after #4 #10 #14
        """
    )
    finish(MemoryEngine(world, stack))
    assert world.containers["shop-socket-proxy-1"].healthy
    assert str(planned(world, stack)) == ""


def test_a_gateway_with_the_socket_gets_a_proxy() -> None:
    """`up` makes the proxy first, then replaces the gateway; the way back removes the proxy."""
    world = running(shop("off")).have(IMAGE)
    before = world.containers["shop_traefik"].id
    finish(MemoryEngine(world, shop()))
    assert world.containers["shop-socket-proxy-1"].healthy
    assert world.containers["shop_traefik"].id != before
    finish(MemoryEngine(world, shop("off")))
    assert sorted(world.containers) == ["shop-web-1", "shop_traefik"]


@pytest.mark.parametrize("services", [(), ("web",)])
def test_its_image_is_provided_with_the_gateways(services: tuple[str, ...]) -> None:
    """Of a named service too, and by its Dockerfile where it is not there."""
    stack = shop()
    world = World().have(*images_of(stack))
    plans = finish(MemoryEngine(world, stack), Up(services=services))
    provided = [node.step for node in plans[0] if isinstance(node.step, ProvideImage)]
    assert [step.target for step in provided] == [IMAGE]
    assert (provided[0].build or {})["dockerfile_inline"] == DOCKERFILE


def test_down_removes_the_gateway_first() -> None:
    """So that it never complains of a proxy that is gone."""
    stack = shop()
    text = str(planned(running(stack, World().have(IMAGE)), stack, Down()))
    removed, stopped = (
        next(line.split()[0] for line in text.splitlines() if words in line)
        for words in ("remove shop_traefik", "stop shop-socket-proxy-1")
    )
    assert f"{stopped} stop shop-socket-proxy-1 after {removed}" in text


def test_it_is_not_scaled() -> None:
    """It is msctl's own, as the gateway is."""
    stack = shop()
    with pytest.raises(UsageProblem, match="socket-proxy is the gateway's proxy: it has one"):
        planned(running(stack, World().have(IMAGE)), stack, Scale({"socket-proxy": 2}))


def test_a_dead_proxy_is_a_problem() -> None:
    """The gateway serves on, but hears of no change: `up` starts the proxy again."""
    stack = shop()
    world = running(stack, World().have(IMAGE))
    engine = MemoryEngine(world, stack)
    assert assess(stack, engine.observe(), engine="compose").healthy
    world.stop("shop-socket-proxy-1")
    status = assess(stack, engine.observe(), engine="compose")
    assert not status.healthy
    [problem] = [p for p in status.problems if p.severity == "error"]
    assert (problem.kind, problem.hint) == ("socket_proxy", "msctl up")
    assert str(planned(world, stack)).startswith("#1 start shop-socket-proxy-1, it is exited")
