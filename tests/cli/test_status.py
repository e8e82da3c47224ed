"""`msctl status` at a terminal."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from memory import Behaviour, lines
from memory.engine import EPOCH
from memory.world import World
from terminal import Terminal

NOTHING: dict[str, Any] = {
    "last_check": None,
    "cpu_percent": None,
    "memory_bytes": None,
    "memory_limit_bytes": None,
    "oom_kills": 0,
    "restarts": 0,
}


def replica(world: World, name: str, number: int, image: str, **more: Any) -> dict[str, Any]:
    container = world.containers[name]
    routed = container.labels.get("traefik.docker.network", "shop_backend")
    address = container.networks[routed]
    found = {"name": name, "id": container.id, "number": number, "image": image, **NOTHING}
    seen = {"state": "running", "health": "healthy", "routed": True, "gateway_status": "UP"}
    started = (EPOCH + timedelta(seconds=container.started or 0)).isoformat()
    times = {"started_at": started.replace("+00:00", "Z"), "p95_ms": None}
    return {**found, **seen, "address": address, **times, **more}


def service(name: str, kind: str, count: int, replicas: list[Any], **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "kind": kind,
        "desired": count,
        "running": count,
        "healthy": count,
        "routed": count,
        "image": f"{name}:1",
        "rps": None,
        "p50_ms": None,
        "p95_ms": None,
        "error_rate": None,
        "replicas": replicas,
        **more,
    }


def test_status_as_json_has_every_field_of_the_contract(shop: Terminal) -> None:
    """The record has these keys in this order, and null for what is not known."""
    answer, world = shop.msctl("status", "--json"), shop.world
    wanted = {
        "project": "shop",
        "engine": "compose",
        "healthy": True,
        "gateway": {
            "url": "https://localhost",
            "dashboard": "http://127.0.0.1:8080/dashboard/",
            "healthy": True,
            "image": "traefik:v3.7",
            "entry_points": [
                {"name": "web", "url": "http://localhost"},
                {"name": "websecure", "url": "https://localhost"},
            ],
            "certificate_expires": None,
        },
        "prometheus": None,
        "pins": [],
        "problems": [],
        "services": [
            service("web", "routed", 1, [replica(world, "shop-web-1", 1, "web:1")]),
            service(
                "api",
                "routed",
                2,
                [replica(world, f"shop-api-{n}", n, "api:1") for n in (1, 2)],
            ),
            service(
                "db",
                "stateful",
                1,
                [
                    replica(
                        world,
                        "shop-db-1",
                        1,
                        "db:1",
                        health="none",
                        routed=None,
                        gateway_status=None,
                    )
                ],
                routed=None,
            ),
        ],
    }
    assert (answer.status, answer.json, answer.err) == (0, wanted, "")
    assert list(answer.json) == list(wanted)
    assert list(answer.json["services"][0]) == list(wanted["services"][0])
    assert list(answer.json["services"][0]["replicas"][0]) == [
        "name", "id", "number", "image", "state", "health", "last_check", "routed",
        "gateway_status", "address", "cpu_percent", "memory_bytes", "memory_limit_bytes",
        "oom_kills", "restarts", "started_at", "p95_ms",
    ]  # fmt: skip


def test_status_is_a_table(shop: Terminal) -> None:
    """Every service is a row, and every replica of several too."""
    for container in shop.world.containers.values():
        container.started = 0.0
    answer = shop.msctl("status")
    assert answer.status == 0
    assert answer.out.strip() == lines(
        """
        shop is healthy  gateway up  https://localhost
        dashboard http://127.0.0.1:8080/dashboard/

        SERVICE  ENGINE   HEALTH       GATEWAY  UP  IMAGE
        web      running  healthy      UP       1h  web:1
        api      2/2 run  2/2 healthy  2/2 UP       api:1
          api-1  running  healthy      UP       1h
          api-2  running  healthy      UP       1h
        db       running  -            -        1h  db:1
        """
    )


def test_status_of_one_service_is_about_that_service(shop: Terminal) -> None:
    """A degraded neighbour does not make the named service degraded."""
    shop.world.kill("shop-db-1")
    assert shop.msctl("status").status == 1
    answer = shop.msctl("--json", "status", "api")
    assert answer.status == 0
    assert [found["name"] for found in answer.json["services"]] == ["api"]


def degrade_kill(shop: Terminal) -> None:
    shop.world.kill("shop-api-2")


def degrade_removed(shop: Terminal) -> None:
    shop.world.stop("shop-api-2")
    shop.world.remove("shop-api-2")


def degrade_ill(shop: Terminal) -> None:
    shop.world.behave("shop-api-2", Behaviour(healthy_after=None, unhealthy_after=0.1))
    shop.world.stop("shop-api-2")
    shop.world.start("shop-api-2")
    shop.world.advance(1.0)


def degrade_gateway(shop: Terminal) -> None:
    shop.world.kill("shop_traefik")


def degrade_api(shop: Terminal) -> None:
    shop.world.gateway_answers = False


def degrade_listing(shop: Terminal) -> None:
    shop.world.gateway_lag = 10**9


DEGRADED = [
    (degrade_kill, "exited", "shop-api-2 has ended with exit status 137"),
    (degrade_removed, "missing", "api has 1 of 2 replicas"),
    (degrade_ill, "unhealthy", "shop-api-2 fails its health check"),
    (degrade_gateway, "gateway_down", "shop_traefik has ended with exit status 137"),
    (
        degrade_api,
        "gateway_api",
        "the gateway's API at http://127.0.0.1:8080 does not answer: timed out",
    ),
    (
        degrade_listing,
        "not_routed",
        "shop-api-1 is healthy but gets no requests: the gateway does not list it",
    ),
]


@pytest.mark.parametrize(("degrade", "kind", "message"), DEGRADED)
def test_a_degraded_stack_is_told_and_ends_with_status_1(
    shop: Terminal, degrade: Any, kind: str, message: str
) -> None:
    """What is wrong is among the problems, with its kind, and the exit status says so."""
    degrade(shop)
    answer = shop.msctl("status", "--json")
    assert (answer.status, answer.json["healthy"]) == (1, False)
    found = {(problem["kind"], problem["message"]) for problem in answer.json["problems"]}
    assert (kind, message) in found
    plain = shop.msctl("status")
    assert plain.status == 1
    assert plain.out.startswith("shop is degraded")
    assert f"error: {message}" in plain.out


def test_what_the_gateway_does_not_tell_is_null(shop: Terminal) -> None:
    """Without the gateway's word, routed is not known, which is not the same as false."""
    shop.world.gateway_answers = False
    web = shop.msctl("status", "--json").json["services"][0]
    assert (web["routed"], web["replicas"][0]["routed"]) == (None, None)


def test_status_before_up_is_degraded(terminal: Terminal) -> None:
    """A stack that is not up is not healthy, and says what to type."""
    answer = terminal.msctl("status", "--json")
    assert (answer.status, answer.json["healthy"]) == (1, False)
    hints = {problem["service"]: problem["hint"] for problem in answer.json["problems"]}
    assert hints == {
        "traefik": "msctl up",
        "web": "msctl up web",
        "api": "msctl up api",
        "db": "msctl up db",
    }


def test_a_manual_scale_is_what_is_desired(shop: Terminal) -> None:
    """`desired` is what somebody asked for, not what the file started with."""
    shop.msctl("scale", "api", "3")
    api = shop.msctl("status", "--json").json["services"][1]
    assert (api["desired"], api["running"], api["healthy"], api["routed"]) == (3, 3, 3, 3)


def test_watching_looks_again_until_ctrl_c(shop: Terminal) -> None:
    """`status --watch --json` is one record a line, and Ctrl-C ends it with status 130."""
    looks = []

    def sleep(_seconds: float) -> None:
        looks.append(1)
        if len(looks) == 3:
            raise KeyboardInterrupt

    shop.sleep = sleep
    answer = shop.msctl("status", "--watch", "--json")
    assert (answer.status, len(answer.out.splitlines()), answer.err) == (130, 3, "")


def test_looking_takes_no_lock_and_changes_nothing(shop: Terminal) -> None:
    """Read-only commands may run beside any other."""
    before = shop.world.snapshot()
    for words in (["status"], ["routes"], ["logs"], ["doctor"], ["up", "--dry-run"]):
        assert shop.msctl(*words).status == 0
    assert shop.world.snapshot() == before
