"""`msctl routes`, `logs` and `doctor` at a terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from memory import Behaviour, lines
from terminal import SHOP, Terminal

from msctl.state import Certificate


def test_routes_are_listed_by_who_wins(shop: Terminal) -> None:
    """The route that wins over others comes first, with what the gateway says of it."""
    answer = shop.msctl("routes")
    assert (answer.status, answer.out.strip()) == (
        0,
        lines(
            """
            ROUTE  SERVICE   PREFIX    PRIO  GATEWAY  SERVERS
            /api   api:8000  stripped  18    enabled  2/2 UP
            /      web:80              15    enabled  1/1 UP
            """
        ),
    )


def test_a_route_of_a_host_is_shown_as_it_is_typed(shop: Terminal) -> None:
    """Host and path in one."""
    host = "routes: [{host: www.example.org, path: /api, strip: true}]"
    shop.write(SHOP.replace("routes: [{path: /api, strip: true}]", host))
    assert shop.msctl("up").status == 0
    assert shop.msctl("routes").out.splitlines()[1].startswith("www.example.org/api  api:8000")


def test_routes_as_json_are_the_same(shop: Terminal) -> None:
    """Rule, service, port, priority, address and servers of each route."""
    found = shop.msctl("routes", "--json").json
    assert found["project"] == "shop"
    assert found["routes"][0] == {
        "rule": "PathPrefix(`/api`)",
        "service": "api",
        "port": 8000,
        "strip": True,
        "priority": 18,
        "url": "https://localhost/api",
        "router": "api",
        "in_file": True,
        "status": "enabled",
        "servers": 2,
        "servers_up": 2,
    }


def test_routes_without_the_gateway_are_those_of_the_file(terminal: Terminal) -> None:
    """What the gateway would say is null where it does not answer."""
    found = terminal.msctl("routes", "--json").json["routes"]
    assert [(r["rule"], r["status"], r["servers"]) for r in found] == [
        ("PathPrefix(`/api`)", None, None),
        ("PathPrefix(`/`)", None, None),
    ]


@pytest.fixture
def talking(terminal: Terminal) -> Terminal:
    """The shop is up, and its services wrote something."""
    terminal.world.behave("api", Behaviour(log=("listening", "\x1b[31mred\x1b[0m")))
    terminal.world.behave("db", Behaviour(log=("ready",)))
    assert terminal.msctl("up").status == 0
    return terminal


def test_logs_are_merged_under_the_replicas_names(talking: Terminal) -> None:
    """Each line has its replica in front, and cannot paint the terminal."""
    answer = talking.msctl("logs")
    assert answer.status == 0
    written = [line.split(" | ") for line in answer.out.splitlines()]
    assert [(name.strip(), text) for name, text in written] == [
        ("db-1", "ready"),
        ("api-1", "listening"),
        ("api-1", "red"),
        ("api-2", "listening"),
        ("api-2", "red"),
    ]


def test_logs_name_the_gateway_as_the_services(terminal: Terminal) -> None:
    """Without the project, which its container's name has too."""
    terminal.world.behave("traefik", Behaviour(log=("ready",)))
    assert terminal.msctl("up").status == 0
    name, text = terminal.msctl("logs", "traefik").out.split(" | ")
    assert (name.strip(), text) == ("traefik", "ready\n")


def test_logs_of_one_service_cut_to_their_end(talking: Terminal) -> None:
    """A named service and `--tail` choose what is shown; `--no-prefix` shows it bare."""
    answer = talking.msctl("logs", "api", "--tail", "1", "--no-prefix")
    assert answer.out == "red\nred\n"


def test_logs_as_json_have_a_line_each(talking: Terminal) -> None:
    """Each record has replica, time and text, the text as it was written."""
    answer = talking.msctl("logs", "db", "--json")
    assert answer.json == {
        "replica": "shop-db-1",
        "at": "2030-01-01T00:00:00+00:00",
        "text": "ready",
    }


# Doctor


def test_doctor_finds_nothing_wrong_with_a_well_stack(shop: Terminal) -> None:
    """Every finding is ok, and the exit status 0."""
    text = SHOP.replace("  db:\n", "  db:\n    networks: [data]\n")
    text = text.replace("gateway: {socket_proxy: off}\n", "")
    text = text.replace("services:\n", "networks: [backend, data]\nservices:\n")
    shop.write(text.replace("needs: [db]", "needs: [db]\n    networks: [backend, data]"))
    assert shop.msctl("up").status == 0
    answer = shop.msctl("doctor", "--json")
    assert (answer.status, answer.json["healthy"]) == (0, True)
    assert {finding["status"] for finding in answer.json["findings"]} == {"ok"}
    areas = {finding["area"] for finding in answer.json["findings"]}
    assert {"stack file", "engine", "images", "lock", "ports", "up", "stack"} <= areas
    assert "privileges" in areas


def finding(terminal: Terminal, area: str) -> Any:
    found = terminal.msctl("doctor", "--json").json["findings"]
    return next((one for one in found if one["area"] == area), None)


def test_doctor_tells_how_to_trust_the_stacks_own_authority(shop: Terminal) -> None:
    """Once it is made: by curl, and for the whole machine."""
    before = finding(shop, "tls")
    assert (before["status"], before["hint"]) == ("ok", None)
    authority = shop.folder / ".msctl/tls/ca.pem"
    authority.parent.mkdir(parents=True)
    authority.write_text("PEM")
    shop.certificate = Certificate(datetime(2030, 6, 1, tzinfo=UTC))
    told = finding(shop, "tls")
    assert told["status"] == "ok"
    assert told["message"].endswith(f"{authority}, until 2030-06-01")
    assert f"curl --cacert {authority}" in told["hint"]
    assert "update-ca-certificates" in told["hint"]


def test_doctor_takes_nobody_elses_certificate_for_the_gateways(terminal: Terminal) -> None:
    """Who has the port while the gateway does not run."""
    terminal.certificate = Certificate(datetime(2029, 6, 1, tzinfo=UTC), expired=True)
    assert "has ended" not in terminal.msctl("doctor").out


def test_doctor_tells_how_an_ended_certificate_is_renewed(shop: Terminal) -> None:
    """By who makes it: msctl, the user, or the gateway."""
    shop.certificate = Certificate(datetime(2029, 6, 1, tzinfo=UTC), expired=True)
    told = finding(shop, "tls")
    assert (told["status"], told["hint"]) == ("fail", "msctl up makes a new one")


@pytest.mark.parametrize(
    ("published", "open_to_others"),
    [("9000", False), ("127.0.0.1:9000", False), ('"[::1]:9000"', False), ("0.0.0.0:9000", True)],
)
def test_doctor_warns_of_an_open_dashboard(
    shop: Terminal, published: str, open_to_others: bool
) -> None:
    """One that is published on more than loopback has no password."""
    shop.write(SHOP.replace("gateway: {", f"gateway: {{dashboard: {published}, "))
    told = finding(shop, "dashboard")
    assert (told is not None) == open_to_others
    assert told is None or (told["status"], "dashboard_host" in told["hint"]) == ("warn", True)


def test_doctor_tells_of_a_database_that_the_gateway_reaches(shop: Terminal) -> None:
    """As it does where the file names one network; with what to write, and nothing fails."""
    shop.write(SHOP.replace("services:\n", "networks: [backend]\nservices:\n"))
    assert shop.msctl("up").status == 0
    told = finding(shop, "databases")
    assert (told["status"], told["message"]) == (
        "warn",
        "db can be reached by traefik and web, which it does not serve",
    )
    assert "services.db.networks: [db_net]" in told["hint"]
    assert shop.msctl("doctor").status == 0


def test_doctor_tells_who_has_more_of_the_machine_than_its_own(shop: Terminal) -> None:
    """With file, line and key, and what to do; nothing fails by it."""
    mounts = "    volumes: [/var/run/docker.sock:/s:ro, data:/d]\n"
    keys = f"{mounts}    x-compose: {{privileged: true}}\n    needs: [api]\n"
    shop.write(SHOP.replace("    needs: [api]\n", keys))
    found = shop.msctl("doctor", "--json").json["findings"]
    told = [one for one in found if one["area"] == "privileges"]
    assert [(one["status"], one["message"].partition(": ")[2][:40]) for one in told] == [
        ("warn", "gateway.socket_proxy: the gateway has th"),
        ("warn", "services.web.volumes[0]: web has the eng"),
        ("warn", "services.web.x-compose.privileged: web i"),
    ]
    assert [one["message"].partition(": ")[0] for one in told] == [
        "stack.yaml:2", "stack.yaml:9", "stack.yaml:10"
    ]  # fmt: skip
    assert all(one["hint"] for one in told)


def taken(terminal: Terminal) -> None:
    terminal.world.processes[80, "tcp"] = "nginx (pid 42)"


def unreachable(terminal: Terminal) -> None:
    terminal.world.reachable = False


def wrong_file(terminal: Terminal) -> None:
    terminal.write(SHOP.replace("port: 80\n", "port: 99999\n"))


ILL = [
    (taken, "up", "traefik publishes port 80/tcp, which is taken by nginx (pid 42)"),
    (unreachable, "engine", "no Docker engine answers at memory://world: Connection refused"),
    (wrong_file, "stack file", "stack.yaml:6: services.web.port: 99999 is not a port (1-65535)"),
]


@pytest.mark.parametrize(("make_ill", "area", "message"), ILL)
def test_doctor_finds_what_is_wrong(
    terminal: Terminal, make_ill: Any, area: str, message: str
) -> None:
    """What would stop `up` is a failed finding in its area, and the exit status 1."""
    make_ill(terminal)
    before = terminal.world.snapshot()
    answer = terminal.msctl("doctor", "--json")
    assert (answer.status, answer.json["healthy"]) == (1, False)
    failed = [(f["area"], f["message"]) for f in answer.json["findings"] if f["status"] == "fail"]
    assert (area, message) in failed
    hints = [finding["hint"] or "" for finding in answer.json["findings"]]
    assert not any("doctor" in hint for hint in hints)
    assert terminal.world.snapshot() == before


def test_doctor_tells_of_references_that_stand_for_nothing(shop: Terminal) -> None:
    """With file and line and without the value; quoted ones and those that are set are no news."""
    shop.write(SHOP.replace("    image: db:1\n", "    image: db:1\n    env_file: [./more.env]\n"))
    shop.write("A=1\n\nPASSWORD=pa$word\nOTHER='pa$word'\nSET=$A\n", ".env")
    shop.write("TOKEN=t$oken$A\n", "more.env")
    found = shop.msctl("doctor", "--json").json["findings"]
    told = [(one["status"], one["message"]) for one in found if one["area"] == "variables"]
    assert told == [
        ("warn", ".env:3: PASSWORD: $word is not set, and stands for nothing"),
        ("warn", "more.env:1: TOKEN: $oken is not set, and stands for nothing"),
    ]
    assert "in single quotes" in shop.msctl("doctor").out


def test_doctor_tells_once_what_concerns_all_replicas_of_a_service(shop: Terminal) -> None:
    """A stack file that was edited makes each replica outdated, and is one finding a service."""
    shop.write(SHOP.replace("replicas: 2", "replicas: 2\n    env: {A: b}"))
    found = shop.msctl("doctor", "--json").json["findings"]
    [outdated] = [one for one in found if "another configuration" in one["message"]]
    assert outdated["message"].endswith("(and 1 more like this)")
    [plan] = [one["message"] for one in found if one["area"] == "up"]
    assert plan.endswith(", for api")
