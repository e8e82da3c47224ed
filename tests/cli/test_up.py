"""`msctl up` and `msctl down` at a terminal."""

from __future__ import annotations

import json

import pytest
from memory import lines
from terminal import SHOP, Terminal

from msctl.state import NO_PASSWORD, GatewaySettings

UP = [
    "  gateway    https://localhost",
    "  dashboard  http://127.0.0.1:8080/dashboard/",
]


def test_up_brings_the_stack_up_and_says_where_it_is(terminal: Terminal) -> None:
    """Each finished step is a line, then the addresses; nothing goes to standard output."""
    answer = terminal.msctl("up")
    assert (answer.status, answer.out) == (0, "")
    *steps, summary = answer.lines[: -len(UP)]
    assert steps[0].endswith("] create network shop_gateway (0.0 s)")
    assert [line[: line.index("]") + 1] for line in steps] == [
        f"[{n:2}/{len(steps)}]" for n in range(1, len(steps) + 1)
    ]
    assert summary.startswith("shop is up: 5 replicas of 4 services in ")
    assert answer.lines[-len(UP) :] == UP
    assert all(container.healthy for container in terminal.world.containers.values())


def test_a_new_password_is_told_of_but_not_written_into_a_log(terminal: Terminal) -> None:
    """Where no terminal is, whoever keeps the output must not keep the password; a hash alone is
    not worth a word."""
    terminal.write(SHOP.replace("gateway: {", "gateway: {dashboard_host: d.example.org, "))
    due = {"admin": NO_PASSWORD, "alice": "it is another one"}
    terminal.world.settings = GatewaySettings("", passwords_due=due)
    answer = terminal.msctl("up")
    assert answer.lines[-2:] == [
        "  dashboard  https://d.example.org/dashboard/ (user admin)",
        "  password   admin: kept in .msctl/secrets/@admin",
    ]


def test_a_second_up_says_that_there_is_nothing_to_do(shop: Terminal) -> None:
    """On a stack that is as the file says nothing is done, and that is said."""
    before = shop.world.snapshot()
    answer = shop.msctl("up")
    assert (answer.status, answer.lines[0]) == (
        0,
        "nothing to do: 5 replicas of 4 services are as the file says",
    )
    assert shop.world.snapshot() == before


def test_a_dry_run_prints_the_plan_and_changes_nothing(shop: Terminal) -> None:
    """The plan is data: each step with its number, its cause and what it comes after."""
    before = shop.world.snapshot()
    shop.write(SHOP.replace("image: db:1", "image: db:1\n    env: {A: '1'}"))
    answer = shop.msctl("up", "--dry-run")
    assert answer.status == 0
    assert answer.out.strip() == lines(
        """
        db
          #1 keep image shop-db:previous
          #2 stop shop-db-1, its configuration changed
          #3 remove shop-db-1, its configuration changed after #2
          #4 create shop-db-1, its configuration changed after #3
          #5 start shop-db-1, its configuration changed after #3 #4
          #6 await healthy shop-db-1 after #5
        """
    )
    assert answer.err == "6 steps; nothing was changed\n"
    assert shop.world.snapshot() == before
    assert not (shop.folder / ".locks").joinpath("shop.lock").exists()


def test_a_dry_run_as_json_is_the_plan(terminal: Terminal) -> None:
    """`--dry-run --json` is one record with the steps in their order."""
    terminal.write("name: shop\nservices:\n  web: {image: 'web:1'}\n")
    assert terminal.msctl("up", "--dry-run", "--json").json == {
        "project": "shop",
        "engine": "compose",
        "notes": [],
        "steps": [
            {
                "id": number,
                "verb": verb,
                "target": target,
                "service": service,
                "cause": cause,
                "after": after,
            }
            for number, verb, target, service, cause, after in [
                (1, "create network", "shop_backend", None, None, []),
                (2, "create", "shop-web-1", "web", "it is not there", [1]),
                (3, "start", "shop-web-1", "web", "it is not there", [2]),
                (4, "await healthy", "shop-web-1", "web", None, [3]),
            ]
        ],
    }


def test_up_as_json_tells_what_was_done(terminal: Terminal) -> None:
    """Data goes to standard output, messages to the other one."""
    answer = terminal.msctl("up", "--json")
    assert answer.status == 0
    assert answer.json["project"] == "shop"
    numbers = [step["id"] for step in answer.json["steps"]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert answer.json["steps"][0] == {
        "id": 1,
        "verb": "create network",
        "target": "shop_gateway",
        "service": None,
        "cause": None,
    }
    assert answer.lines[-len(UP) :] == UP


def test_quiet_leaves_out_what_is_no_data(terminal: Terminal) -> None:
    """`-q` prints data and errors only."""
    answer = terminal.msctl("-q", "up")
    assert (answer.status, answer.out, answer.err) == (0, "", "")


def test_named_services_come_with_what_they_need(terminal: Terminal) -> None:
    """`up SERVICE` starts the service, its needs and the gateway."""
    assert terminal.msctl("up", "api").status == 0
    assert sorted(terminal.world.containers) == [
        "shop-api-1",
        "shop-api-2",
        "shop-db-1",
        "shop_traefik",
    ]


def test_up_builds_what_cannot_be_pulled(terminal: Terminal) -> None:
    """Images are provided before anything is created."""
    del terminal.world.images["web:1"]
    terminal.write(SHOP.replace("image: web:1", "image: web:1\n    build: ./web"))
    answer = terminal.msctl("up")
    assert answer.status == 0
    assert answer.lines[0] == "[1/1] provide image web:1, web needs it (0.0 s)"


def test_up_says_when_the_rendered_file_is_stale(shop: Terminal) -> None:
    """`up` never writes the Compose file, but says when it is not what the stack file means."""
    shop.msctl("render", "-o", "docker-compose.yml")
    assert "stale" not in shop.msctl("up").err
    rendered = (shop.folder / "docker-compose.yml").read_text()
    shop.write(
        SHOP.replace("db:1", "db:2").replace("    stateful", "    optional: true\n    stateful")
    )
    answer = shop.msctl("up", "--dry-run")
    assert (
        "note: docker-compose.yml is stale; to write it anew: "
        "msctl render compose -o docker-compose.yml" in answer.lines
    )
    assert (shop.folder / "docker-compose.yml").read_text() == rendered


def test_another_project_is_another_stack(shop: Terminal) -> None:
    """`-p` names the project, and the two do not see each other."""
    shop.write("name: shop\nservices:\n  web: {image: 'web:1'}\n", "small.yaml")
    assert shop.msctl("-f", "small.yaml", "-p", "other", "up").status == 0
    assert "other-web-1" in shop.world.containers
    assert shop.msctl("status").status == 0
    assert shop.msctl("-f", "small.yaml", "-p", "other", "down").status == 0
    assert "shop-web-1" in shop.world.containers
    assert "shop_backend" in shop.world.networks


# Down


def test_the_socket_of_a_rootless_engine_has_to_be_named(terminal: Terminal) -> None:
    """Before anything is made: a proxy without an engine behind it leads nobody anywhere."""
    terminal.world.rootless = True
    refused = terminal.msctl("up")
    assert (refused.status, terminal.world.containers) == (2, {})
    assert "the engine is rootless, and its socket is not /var/run/docker.sock" in refused.err
    assert "in the stack file, under gateway, write: socket: " in refused.err
    path = "/run/user/1000/docker.sock"
    terminal.world.files[path] = ""
    terminal.write(SHOP.replace("{socket_proxy: off}", f"{{socket_proxy: off, socket: {path}}}"))
    assert terminal.msctl("up").status == 0


def test_down_removes_the_stack_and_keeps_its_data(shop: Terminal) -> None:
    """Containers and networks go; volumes stay, and it is said how to remove them."""
    answer = shop.msctl("down")
    assert (answer.status, answer.lines[-2:]) == (
        0,
        [
            "shop is down in 0.0 s",
            "kept, with their data: shop_data, shop_gateway (msctl down --volumes removes them)",
        ],
    )
    assert (shop.world.containers, shop.world.networks) == ({}, {})
    assert sorted(shop.world.volumes) == ["shop_data", "shop_gateway"]


def test_down_on_nothing_says_so(terminal: Terminal) -> None:
    """Where nothing is up, `down` is done."""
    answer = terminal.msctl("down")
    assert (answer.status, answer.lines) == (0, ["nothing to do: shop is not up"])


@pytest.mark.parametrize(("typed", "status", "left"), [("y\n", 0, 0), ("n\n", 1, 2), ("", 1, 2)])
def test_volumes_are_removed_when_somebody_says_yes(
    shop: Terminal, typed: str, status: int, left: int
) -> None:
    """On a terminal `--volumes` asks, and takes nothing but a yes for one."""
    shop.asks = True
    answer = shop.msctl("down", "--volumes", answer=typed)
    assert answer.status == status
    assert "Remove shop and its data for good (shop_data, shop_gateway)?" in answer.err
    assert len(shop.world.volumes) == left
    assert bool(shop.world.containers) is bool(left)


def test_yes_answers_beforehand(shop: Terminal) -> None:
    """`--volumes --yes` asks nobody."""
    assert shop.msctl("down", "--volumes", "--yes").status == 0
    assert shop.world.volumes == {}


def test_down_as_json_tells_what_was_removed(shop: Terminal) -> None:
    """The record has one step for each thing that went."""
    answer = shop.msctl("--json", "down")
    verbs = [step["verb"] for step in json.loads(answer.out)["steps"]]
    assert sorted(set(verbs)) == ["remove", "remove network", "stop"]
