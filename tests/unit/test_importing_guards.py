"""`msctl.importing`: what a file keeps somebody out of stays shut, and nothing is lost unsaid."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from routers import LAN, router, routes, shop
from taking import taken, told

from msctl.importing.routes.rules import negated

NOBODY = ["127.0.0.1/32"]
AUTH = {"middlewares.auth.forwardauth.address": "http://auth:9000"}


@pytest.mark.parametrize(
    "guarded",
    [
        router("admin", "Host(`a.org`) && PathPrefix(`/admin`)", "auth"),
        router("admin", "PathPrefix(`/admin`) && Host(`a.org`) && Method(`POST`)", "auth"),
        router("admin", "Host(`a.org`) && PathRegexp(`^/admin`)", "lan"),
        router("admin", "Host(`a.org`) && PathPrefix(`/admin{x:.*}`)", "lan"),
        router("admin", "PathPrefix(`/admin`)", "auth", priority=500),
    ],
)
def test_what_a_lost_router_guarded_is_shut_where_another_would_open_it(
    guarded: dict[str, Any],
) -> None:
    """Traefik would give its requests to the next one, which lets everybody in."""
    text = shop(web=router("web", "Host(`a.org`)"), other={**guarded, **AUTH, **LAN})
    shut = {"path": "/admin", "host": "a.org", "ip_allow": NOBODY}
    assert routes(text) == [{"path": "/", "host": "a.org"}, shut]
    assert "a.org/admin is shut, which another route would open" in told(taken(text))


def test_a_route_that_was_never_reached_is_left_out() -> None:
    """The lost one took all that is its."""
    guarded = {**router("all", "Host(`a.org`)", "auth", priority=900), **AUTH}
    text = shop(web=router("web", "Host(`a.org`) && PathPrefix(`/api`)"), other=guarded)
    assert routes(text) is None
    assert "left out: its requests were all's, which keeps somebody out" in told(taken(text))


@pytest.mark.parametrize(
    ("rule", "weight"),
    [
        ("Host(`a.org`) && PathPrefix(`/public`)", None),
        ("Host(`b.org`)", None),
        ("Host(`a.org`)", 900),
    ],
)
def test_a_route_stays_that_went_before_the_lost_one(rule: str, weight: int | None) -> None:
    """Or that has nothing in common with it."""
    mine = router("web", rule, **({"priority": weight} if weight else {}))
    text = shop(web=mine, other={**router("all", "Host(`a.org`)", "auth"), **AUTH})
    assert len(routes(text)) == 1


def test_a_rule_leaves_what_it_says_no_to() -> None:
    """`!PathPrefix` of the lost one is what the other is for."""
    guarded = router("all", "Host(`a.org`) && !PathPrefix(`/api`)", "auth")
    text = shop(web=router("web", "Host(`a.org`) && PathPrefix(`/api`)"), other={**guarded, **AUTH})
    assert routes(text) == [{"path": "/api", "host": "a.org"}]


def test_a_shut_path_goes_before_a_route_of_priority() -> None:
    """And is shut once, however many would open it."""
    web = {
        **router("web", "Host(`a.org`)", priority=40),
        **router("web2", "Host(`a.org`) && PathPrefix(`/a`)", priority=41),
    }
    guarded = router("admin", "Host(`a.org`) && PathPrefix(`/admin`)", "auth", priority=50)
    found = [(r["path"], r.get("priority")) for r in routes(shop(web={**web, **guarded, **AUTH}))]
    assert found == [("/", 40), ("/admin", 50), ("/a", 41)]


@pytest.mark.parametrize(
    "through",
    [
        {"middlewares.x.addprefix.prefix": "/public"},
        {"middlewares.x.replacepath.path": "/health"},
        {**LAN, "middlewares.lan.ipallowlist.ipstrategy.depth": 2,
         "middlewares.x.chain.middlewares": "lan"},
        {**LAN, "middlewares.two.ipallowlist.sourcerange": "10.1.0.0/16",
         "middlewares.x.chain.middlewares": "lan,two"},
    ],
)  # fmt: skip
def test_guards_that_would_let_in_more_are_none(through: dict[str, Any]) -> None:
    """A part of the service only, addresses that a header tells, and two lists that both hold."""
    text = shop(web={**router("web", "Host(`a.org`)", "x"), **through})
    assert routes(text) is None
    assert "may keep somebody out" in told(taken(text))


def test_an_entry_point_whose_name_is_not_the_publics_is_none() -> None:
    """Where nothing says which port it has."""
    assert routes(shop(web=router("web", "Host(`a.org`)", entrypoints="internal"))) is None
    assert routes(shop(web=router("web", "Host(`a.org`)", entrypoints="public")))


def test_paths_that_a_rule_says_no_to() -> None:
    assert negated("Host(`a`) && !PathPrefix(`/b`) && ! Path(`/c`)") == ("/b", "/c")


def test_of_two_routers_of_one_weight_the_shut_one_is_taken() -> None:
    """Traefik has no order of them."""
    text = shop(
        web=router("web", "Host(`a.org`)"), other={**router("o", "Host(`a.org`)", "lan"), **LAN}
    )
    assert routes(text) is None
    assert routes(text, "other")


@pytest.mark.parametrize(
    ("flags", "labels", "name"),
    [
        ([], ["traefik.docker.network=edge"], "edge"),
        (["--providers.docker.network=edge"], [], "edge"),
        ([], [], None),
        ([], ["traefik.docker.network=shop_proxy"], None),
    ],
)
def test_the_gateway_comes_by_the_network_that_it_came_by(
    flags: list[str], labels: list[str], name: str | None
) -> None:
    """By the engine's name or the file's; the gateway joins no other one of the service's."""
    rule = "traefik.http.routers.web.rule=Host(`a.org`)"
    data = {
        "services": {
            "traefik": {"image": "traefik:v3.7", "command": flags, "networks": ["proxy"]},
            "web": {"image": "w", "labels": [rule, *labels], "networks": ["inside", "proxy"]},
        },
        "networks": {"inside": None, "proxy": {"name": name} if name else None},
    }
    found = taken(yaml.safe_dump(data, sort_keys=False))
    assert found.data["services"]["web"]["networks"] == ["proxy", "inside"]
