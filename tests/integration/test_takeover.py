"""One stack under two hands: what Docker Compose does to msctl's containers, msctl sees and mends,
and each finds nothing to change in what the other made. In this order: the last test takes it down.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from live import NewStack, Stack, service, until

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def shop(module_stacks: NewStack) -> Stack:
    """A stack that msctl has brought up, and the Compose file rendered from it."""
    stack = module_stacks()
    web = service(
        "/",
        replicas={"initial": 2, "max": 5},
        needs=["db"],
        resources={"cpus": 0.5, "memory": "128M"},
        sticky="shop",
        volumes=["files:/files", "./static:/static:ro"],
        secrets=["token"],
        labels={"team": "a & b <c>"},
    )
    options = {
        "networks": {"backend": {"labels": {"of": "ours"}, "driver_opts": {"a.b": "c"}}},
        "volumes": {"data": {"labels": {"kept": "yes"}, "name": f"{stack.project}_kept"}},
    }
    (stack.folder / "static").mkdir()
    db = service(stateful=True, volumes=["data:/data"])
    stack.write({"db": db, "web": web}, **{"x-compose": options})
    stack.ok("render", "compose", "-o", "docker-compose.yml")
    secrets = stack.folder / ".msctl" / "secrets"
    secrets.mkdir(mode=0o700, parents=True)
    (secrets / "token").write_text("a-token-of-mine")
    stack.ok("up")
    return stack


def surroundings(stack: Stack) -> dict[str, Any]:
    """Networks and volumes, each with what a new one of that name would not have."""
    networks = stack.engine.api.networks(names=[f"{stack.project}_"])
    volumes = stack.engine.api.volumes(filters={"name": f"{stack.project}_"})["Volumes"]
    made = {volume["Name"]: volume["CreatedAt"] for volume in volumes}
    return made | {f"network {network['Name']}": network["Id"] for network in networks}


def problems(stack: Stack) -> list[tuple[str, str | None, str | None]]:
    """What `status` finds wrong: kind, service, and what to type."""
    found = json.loads(stack.msctl("status", "--json").out)["problems"]
    return [(p["kind"], p["service"], p["hint"]) for p in found if p["severity"] != "info"]


def is_well(stack: Stack) -> bool:
    return stack.msctl("status").status == 0


def test_nothing_is_made_anew(shop: Stack) -> None:
    """`docker compose up -d` after `msctl up` leaves every container, network and volume."""
    before = shop.ids(), surroundings(shop)
    assert len(before[0]) == 5
    assert len(before[1]) == 6
    said = shop.compose("up", "-d").err
    assert not {"Creating", "Created", "Recreate", "Recreated"} & set(said.split())
    assert (shop.ids(), surroundings(shop)) == before


def test_looking(shop: Stack) -> None:
    """`ps`, `logs`, `exec`, `top` and `config` know the containers."""
    listed = [json.loads(line) for line in shop.compose("ps", "--format", "json").out.splitlines()]
    assert {row["Name"] for row in listed} == set(shop.ids())
    assert {row["Health"] for row in listed} == {"healthy"}
    assert shop.project in shop.compose("ls").out
    said = shop.compose("exec", "-T", "--index", "2", "web", "cat", "/run/secrets/token").out
    assert said == "a-token-of-mine"
    assert "web-1" in shop.compose("logs", "--no-color", "web").out
    assert shop.compose("top", "web").out.count("sample") == 2
    assert "8000" not in shop.compose("port", "traefik", "80").out


def test_stopped_and_started(shop: Stack) -> None:
    """`stop` is seen, with what to type; `start` is all it takes, and `msctl up` is as good: the
    same containers run again. After `restart` it waits until they are well."""
    before = shop.ids()
    shop.compose("stop", "web")
    assert problems(shop) == [("exited", "web", "msctl up web")] * 2
    shop.compose("start", "web")
    until(lambda: is_well(shop), 30, "it is well again")
    shop.compose("stop", "web")
    assert "start" in shop.ok("up", "web").err
    assert shop.ids() == before
    assert is_well(shop)
    shop.compose("restart", "web")
    shop.ok("up")
    assert shop.ids() == before
    assert is_well(shop)


def test_all_of_it_stopped(shop: Stack) -> None:
    """The gateway too: told in two lines, and `msctl up` starts the same containers."""
    before = shop.ids()
    shop.compose("stop", "--timeout", "3")
    told = shop.msctl("status").out.splitlines()
    errors = [line for line in told if line.startswith("error: ")]
    assert [line.partition(" has ended")[0] for line in errors] == [
        f"error: {shop.project}_traefik",
        f"error: {shop.project}-db-1",
    ]
    assert errors[1].endswith("(and 2 more like this)")
    assert told[told.index(errors[1]) + 1].split() == ["msctl", "up"]
    shop.ok("up")
    assert shop.ids() == before
    assert is_well(shop)


def test_scaled(shop: Stack) -> None:
    """Replicas that `up --scale` makes are told as too many; `msctl scale` makes them wanted, and
    `msctl up` else takes them away, the newest first, and drained."""
    before = shop.ids()
    shop.compose("up", "-d", "--wait", "--scale", "web=3")
    surplus = ("surplus", "web", "msctl up web, or to keep them: msctl scale web 3")
    assert surplus in problems(shop)
    drained = "drain web, 2 are wanted"
    until(lambda: drained in shop.ok("up", "--dry-run").out, 10, "the gateway to list all three")
    three = shop.ids()
    assert "3 get requests" in shop.ok("scale", "web", "3").err
    assert (shop.ids(), problems(shop)) == (three, [])
    shop.compose("up", "-d", "--scale", "web=3")
    assert shop.ids() == three
    shop.ok("up", "--reset-scale")
    assert shop.ids() == before


def test_removed(shop: Stack) -> None:
    """What `rm` took away is told, and `msctl up` makes it again, and nothing else."""
    others = shop.ids().items() - shop.ids("web").items()
    shop.compose("rm", "--stop", "--force", "web")
    assert problems(shop) == [("missing", "web", "msctl up web")]
    shop.ok("up")
    assert others < shop.ids().items()
    assert is_well(shop)


def test_taken_down_and_brought_up_by_the_other(shop: Stack) -> None:
    """`down` takes msctl's containers and networks away, and leaves what the volumes hold. What
    `docker compose up` then makes of the rendered file, `msctl up` takes over: it has nothing to
    do, and the replicas that run are what is wanted, with this `up` and the next."""
    shop.compose("exec", "-T", "-u", "0", "db", "sh", "-c", "echo kept > /data/note")
    shop.compose("down")
    assert (shop.ids(), shop.networks()) == ({}, [])
    assert f"{shop.project}_kept" in shop.volumes()
    assert ("missing", "db", "msctl up db") in problems(shop)
    shop.compose("up", "-d", "--wait", "--scale", "web=3")
    before = shop.ids(), surroundings(shop)
    assert len(shop.ids("web")) == 3
    for told in ("record scale of web = 3, taken over", "nothing to do"):
        assert told in shop.ok("up").err
        assert shop.ids() == before[0]
    assert surroundings(shop).items() >= before[1].items()
    assert problems(shop) == []
    assert shop.compose("exec", "-T", "db", "cat", "/data/note").out == "kept\n"


def test_brought_up_again_by_msctl(shop: Stack) -> None:
    """`docker compose down`, then `msctl up`: all is there, the data too."""
    shop.compose("down")
    shop.ok("up")
    assert shop.compose("exec", "-T", "db", "cat", "/data/note").out == "kept\n"
    shop.compose("down", "--volumes")
    assert (shop.ids(), shop.networks()) == ({}, [])
    assert f"{shop.project}_kept" not in shop.volumes()
    shop.ok("down", "--volumes", "--yes")
    assert shop.traces() == []
