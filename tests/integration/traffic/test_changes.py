"""Scaling and updating under load: no request is lost, none goes astray."""

from __future__ import annotations

from typing import Any

import pytest
from live import SAMPLE, Stack
from load import Load

from traffic import ROUTES, cookie, load, nothing_lost, write

pytestmark = [pytest.mark.engine, pytest.mark.alone]
LONG = pytest.mark.soak
ONE_BY_ONE: dict[str, Any] = {"rollout": {"surge": 1}}


@pytest.mark.parametrize(
    "counts",
    [pytest.param([1, 3], id="5 → 1 → 3"), pytest.param([2, 5, 1, 3], id="all", marks=LONG)],
)
def test_scaling_up_and_down_loses_nothing(shop: Stack, counts: list[int]) -> None:
    """From 5 to each of these, then all to 2, and every request is answered by whom it was meant
    for."""
    shop.ok("scale", "shop", "5")
    with load(shop) as traffic:
        for count in counts:
            shop.ok("scale", "shop", str(count))
        shop.ok("scale", "all", "2")
    nothing_lost(shop, traffic)
    assert len(shop.ids("shop")) == 2


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"env": {"A": "1"}, **ONE_BY_ONE}, id="environment"),
        pytest.param({"routes": [*ROUTES, {"path": "/more"}]}, id="routes", marks=LONG),
        pytest.param(
            {"health": {"path": "/alive", "interval": "1s"}, **ONE_BY_ONE},
            id="health path",
            marks=LONG,
        ),
        pytest.param({"sticky": "another_session"}, id="sticky name", marks=LONG),
        pytest.param({"port": 8001, "env": {"PORT": 8001}, **ONE_BY_ONE}, id="port", marks=LONG),
        pytest.param(
            {"env": {"MISBEHAVE": "die-on-sigterm"}}, id="dies at once on SIGTERM", marks=LONG
        ),
        pytest.param(
            {"env": {"MISBEHAVE": "ignore-sigterm"}, "stop_grace": "1s"},
            id="ignores SIGTERM",
            marks=LONG,
        ),
        pytest.param({}, id="back to the first", marks=LONG),
    ],
)
def test_an_update_loses_nothing(shop: Stack, changes: dict[str, Any]) -> None:
    """Every replica is replaced, one after the other or both at once, under traffic."""
    before, name = shop.ids("shop"), cookie(shop)
    write(shop, **changes)
    with load(shop) as traffic:
        shop.ok("up")
    nothing_lost(shop, traffic, same_cookie=cookie(shop) == name)
    after = shop.ids("shop")
    assert len(after) == 2
    assert not set(after.values()) & set(before.values())


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param("health-fail", id="never gets healthy", marks=LONG),
        pytest.param("crash", id="ends at once", marks=LONG),
        pytest.param("crash=3", id="ends when it has just become healthy"),
    ],
)
def test_a_bad_version_goes_again_and_loses_nothing(shop: Stack, behaviour: str) -> None:
    """Exit status 1 with the replica's name; the old replicas have served all along."""
    nothing_lost(shop, refused(shop, behaviour, monitor="4s"))


@LONG
def test_a_version_that_dies_while_it_serves_loses_only_what_is_inside_it(shop: Stack) -> None:
    """It was healthy and had requests when it ended; the old replicas are all still there."""
    # 300/s of 50 ms and 50/s of 1 s are 65 requests inside 3 replicas: 22 inside one.
    assert refused(shop, "crash=4", monitor="0s", surge=1).lost <= 40


def refused(shop: Stack, behaviour: str, monitor: str, surge: int = 2) -> Load:
    """Roll out a version that behaves like this; the old replicas have to survive it."""
    write(shop)
    shop.ok("up")
    before = shop.ids("shop")
    rollout = {"health_timeout": "6s", "monitor": monitor, "surge": surge}
    write(shop, env={"MISBEHAVE": behaviour}, drain="4s", rollout=rollout)
    with load(shop) as traffic:
        result = shop.msctl("rollout", "shop")
    assert result.status == 1, result
    assert "shop-" in result.err
    assert shop.ids("shop") == before
    write(shop)
    assert "nothing to do" in shop.ok("up").err
    return traffic


def test_rollout_rollback_and_restart_lose_nothing(shop: Stack) -> None:
    """A rollout deploys another image and the file, a rollback takes both back, a restart changes
    nothing."""
    other = SAMPLE.replace(":latest", ":other")
    shop.engine.api.tag(SAMPLE, *other.split(":"))
    shop.images.append(other)
    write(shop)
    shop.ok("up")
    write(shop, env={"VERSION": "2"})

    def runs() -> set[tuple[str, bool]]:
        found = [shop.inspect(name)["Config"] for name in shop.ids("shop")]
        return {(config["Image"], "VERSION=2" in config["Env"]) for config in found}

    with load(shop) as traffic:
        shop.ok("rollout", "shop", "--image", other)
        assert runs() == {(other, True)}
        shop.ok("rollback", "shop")
        assert runs() == {(SAMPLE, False)}
        before = shop.ids("shop")
        shop.ok("restart", "shop")
        assert runs() == {(SAMPLE, False)}
        assert not set(before.values()) & set(shop.ids("shop").values())
    nothing_lost(shop, traffic)


def test_a_scale_does_not_deploy_an_edited_file(shop: Stack) -> None:
    """New replicas are copies of those that run."""
    write(shop)
    shop.ok("up")
    write(shop, env={"EDITED": "1"})
    shop.ok("scale", "shop", "3")
    envs = [shop.inspect(name)["Config"]["Env"] for name in shop.ids("shop")]
    assert len(envs) == 3
    assert not any("EDITED=1" in env for env in envs)
    write(shop)
    shop.ok("up", "--reset-scale")


@LONG
def test_a_replica_without_a_check_of_its_own_is_admitted_by_proof(shop: Stack) -> None:
    """Where only the gateway checks, a slow starter gets no request before it answers."""
    slow = {"path": "/health", "interval": "1s", "command": "none"}
    write(shop, health=slow, env={"MISBEHAVE": "start-delay=2"})
    shop.ok("up")
    with load(shop) as traffic:
        shop.ok("scale", "shop", "4")
        shop.ok("restart", "shop")
    nothing_lost(shop, traffic)
    write(shop)
    shop.ok("up", "--reset-scale")
