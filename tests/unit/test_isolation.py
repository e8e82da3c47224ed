"""Databases that more than those that need them can reach are told of, with what to write."""

from __future__ import annotations

from typing import Any

from msctl.config import load_text
from msctl.config.starter import starter
from msctl.doctor.isolation import databases, of_databases, of_metrics
from msctl.model import Stack

WEB = {"image": "web", "port": 80, "routes": ["/"], "needs": ["db"]}
DB = {"image": "db", "stateful": True}


def stack(networks: list[str] | None = None, **services: Any) -> Stack:
    keys = {"networks": networks} if networks else {}
    return Stack.read({"name": "shop", "services": services, **keys})


def told(whole: Stack) -> list[tuple[str, str, str | None]]:
    return [(f.status, f.message, f.hint) for f in of_databases(whole)]


def test_a_database_on_the_gateways_network_is_told_of() -> None:
    """As everything is where the file names one network; the hint is what to write."""
    worker = {"image": "worker"}
    [(status, message, hint)] = told(stack(["backend"], web=WEB, db=DB, worker=worker))
    assert status == "warn"
    assert message == "db can be reached by traefik and worker, which it does not serve"
    assert hint == (
        "give it a network of its own: networks: [backend, db_net]; "
        "services.db.networks: [db_net]; services.web.networks: [backend, db_net]"
    )


def test_a_file_that_names_no_networks_keeps_the_gateway_from_what_it_does_not_lead_to() -> None:
    """Who has no route, a database or a worker, is in no network of the gateway's; what the hint
    says of the others keeps it so."""
    worker = {"image": "worker"}
    whole = stack(web=WEB, db=DB, worker=worker)
    assert {name: whole.networks_of(service) for name, service in whole.services.items()} == {
        "web": ("gateway", "backend"),
        "db": ("backend",),
        "worker": ("backend",),
    }
    [(_, message, hint)] = told(whole)
    assert message == "db can be reached by worker, which it does not serve"
    assert hint == (
        "give it a network of its own: networks: [backend, gateway, db_net]; "
        "services.db.networks: [db_net]; services.web.networks: [gateway, backend, db_net]"
    )
    apart = {"networks": ["db_net"]}
    web = WEB | {"networks": ["gateway", "backend", "db_net"]}
    more = {"image": "web", "port": 80, "routes": ["/more"]}
    whole = stack(["backend", "gateway", "db_net"], web=web, db=DB | apart, more=more)
    assert whole.networks_of(whole.services["more"]) == ("gateway", "backend")
    assert told(whole) == [("ok", "reached only by services that need them: db", None)]


def test_a_prometheus_that_does_not_reach_the_gateway_is_told_of() -> None:
    """It is there for the gateway's metrics; the hint is what to write."""
    prometheus = {"image": "prom/prometheus", "stateful": True, "port": 9090}
    web = {"image": "web", "port": 80, "routes": ["/"]}
    [found] = of_metrics(stack(web=web, prometheus=prometheus))
    assert found.message == "prometheus does not reach the gateway: they share no network"
    assert found.hint == "services.prometheus.networks: [backend, gateway]; then msctl up"
    prometheus = prometheus | {"networks": ["backend", "gateway"]}
    assert list(of_metrics(stack(web=web, prometheus=prometheus))) == []
    assert list(of_metrics(stack(["backend"], web=web, prometheus=prometheus))) == []


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


def test_an_application_that_keeps_files_is_no_database() -> None:
    """It needs others, and nobody needs it; its published port is what it is there for."""
    app = {"image": "app", "stateful": True, "needs": ["db"], "ports": ["80:80"]}
    assert list(databases(stack(app=app, db=DB))) == ["db"]
    user = {"image": "user", "needs": ["app"]}
    assert list(databases(stack(app=app, db=DB, user=user))) == ["app", "db"]


def test_nobody_needs_it() -> None:
    """Then the hint says how one that uses it is told apart."""
    [(_, _, hint)] = told(stack(web={**WEB, "needs": []}, db=DB))
    assert hint is not None
    assert hint.endswith("and db_net to those that use it, with needs: [db]")
