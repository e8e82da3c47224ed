"""Databases that more than those that need them can reach are told of, with what to write."""

from __future__ import annotations

from typing import Any

from msctl.config import load_text, starter
from msctl.isolation import databases, of_databases
from msctl.model import Stack

WEB = {"image": "web", "port": 80, "routes": ["/"], "needs": ["db"]}
DB = {"image": "db", "stateful": True}


def stack(networks: list[str] | None = None, **services: Any) -> Stack:
    keys = {"networks": networks} if networks else {}
    return Stack.read({"name": "shop", "services": services, **keys})


def told(whole: Stack) -> list[tuple[str, str, str | None]]:
    return [(f.status, f.message, f.hint) for f in of_databases(whole)]


def test_a_database_on_the_gateways_network_is_told_of() -> None:
    """As everything is where the file names no networks; the hint is what to write."""
    worker = {"image": "worker"}
    [(status, message, hint)] = told(stack(web=WEB, db=DB, worker=worker))
    assert status == "warn"
    assert message == "db can be reached by traefik and worker, which it does not serve"
    assert hint == (
        "give it a network of its own: networks: [backend, db_net]; "
        "services.db.networks: [db_net]; services.web.networks: [backend, db_net]"
    )


def test_what_the_hint_says_is_enough() -> None:
    """Nobody but web reaches it then."""
    web, db = {**WEB, "networks": ["backend", "db_net"]}, {**DB, "networks": ["db_net"]}
    whole = stack(["backend", "db_net"], web=web, db=db, worker={"image": "worker"})
    assert told(whole) == [("ok", "reached only by services that need them: db", None)]
    assert told(load_text(starter("shop"), name="stack.yaml", environ={}))[0][0] == "ok"


def test_two_databases_on_one_network_reach_each_other() -> None:
    """That serves nobody."""
    data = {"networks": ["data"]}
    web = {**WEB, "needs": ["db", "cache"], "networks": ["backend", "data"]}
    found = told(stack(["backend", "data"], web=web, db=DB | data, cache=DB | data))
    assert [message for _, message, _ in found] == [
        "db can be reached by cache, which it does not serve",
        "cache can be reached by db, which it does not serve",
    ]


def test_a_port_that_leads_to_a_database_is_told_of() -> None:
    """On loopback it is this machine's affair."""
    web, db = {**WEB, "networks": ["backend", "data"]}, {**DB, "networks": ["data"]}
    ports = ["127.0.0.1:1:5432", "5432:5432", "0.0.0.0:2:5432", "[::1]:3:5432", 5432, "[::]:4:5432"]
    found = told(stack(["backend", "data"], web=web, db=db | {"ports": ports}))
    assert [(status, message.rpartition(": ")[2]) for status, message, _ in found] == [
        ("warn", "port 5432:5432 is published"),
        ("warn", "port 2:5432 is published"),
        ("warn", "port 5432 is published"),
        ("warn", "port 4:5432 is published"),
    ]
    assert found[0][2] == (
        "remove services.db.ports, or publish it on loopback: 127.0.0.1:5432:5432"
    )


def test_what_speaks_http_is_no_database() -> None:
    """Prometheus has to reach the gateway; what is not stateful, or routed, has no data."""
    prometheus = {"image": "p", "stateful": True, "port": 9090, "health": {"path": "/ready"}}
    assert databases(stack(web=WEB, db=DB, prometheus=prometheus)).keys() == {"db"}
    assert told(stack(prometheus=prometheus)) == []


def test_nobody_needs_it() -> None:
    """Then the hint says how one that uses it is told apart."""
    [(_, _, hint)] = told(stack(web={**WEB, "needs": []}, db=DB))
    assert hint is not None
    assert hint.endswith("and db_net to those that use it, with needs: [db]")
