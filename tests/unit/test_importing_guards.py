"""`msctl.importing`: what a file keeps somebody out of stays shut, and nothing is lost unsaid."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from test_importing import loaded, taken, told

from msctl.importing.report import report
from msctl.importing.routes.rules import Match, loosely, negated

NOBODY = ["127.0.0.1/32"]
AUTH = {"middlewares.auth.forwardauth.address": "http://auth:9000"}
LAN = {"middlewares.lan.ipallowlist.sourcerange": "10.0.0.0/8"}


def shop(**routers: Any) -> str:
    """Services behind a gateway, each with the options of its routers, middlewares and services."""
    services = {
        name: {"image": name, "labels": {f"traefik.http.{key}": str(v) for key, v in said.items()}}
        for name, said in routers.items()
    }
    return yaml.safe_dump({"services": services}, sort_keys=False)


def router(name: str, rule: str, *through: str, **more: Any) -> dict[str, Any]:
    said = {"rule": rule, **({"middlewares": ",".join(through)} if through else {}), **more}
    return {f"routers.{name}.{key}": value for key, value in said.items()}


def routes(text: str, service: str = "web") -> Any:
    found = taken(text)
    loaded(found)
    return found.data["services"][service].get("routes")


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


def test_several_headers_are_put_together_and_other_seconds_told() -> None:
    """What comes first wins, as in Traefik."""
    text = shop(
        web={
            **router("web", "Host(`a.org`)", "one", "two", "r1", "r2"),
            "middlewares.one.headers.customresponseheaders.X-A": "1",
            "middlewares.two.headers.customresponseheaders.X-A": "2",
            "middlewares.two.headers.customresponseheaders.X-B": "2",
            "middlewares.r1.ratelimit.average": 5,
            "middlewares.r1.ratelimit.sourcecriterion.requesthost": "true",
            "middlewares.r2.ratelimit.average": 50,
        }
    )
    found = taken(text)
    web = found.data["services"]["web"]
    assert web["headers"]["response"] == {"X-A": "1", "X-B": "2"}
    assert web["rate_limit"] == {"average": 5, "burst": 1}
    assert "a route has one rate_limit, and r1 comes first" in told(found)
    assert "ratelimit.sourcecriterion.requesthost has no place" in told(found)


def test_a_router_is_that_of_the_container_whose_service_it_names() -> None:
    """Wherever its labels stand; what is of a file leads nowhere."""
    text = shop(
        web={"services.shop.loadbalancer.server.port": 8000},
        other={
            **router("here", "Host(`a.org`)", service="shop@docker"),
            **router("file", "Host(`b.org`)", service="x@file"),
        },
    )
    assert routes(text) == [{"path": "/", "host": "a.org"}]
    assert routes(text, "other") is None
    assert "it leads to x@file, which is not in this file" in told(taken(text))


def test_two_containers_of_one_service_are_told() -> None:
    """The second one's requests would be gone."""
    port = {"services.shop.loadbalancer.server.port": 80}
    text = shop(web={**router("web", "Host(`a.org`)"), **port}, twin=port)
    assert "shop leads to web, and no longer here as well" in told(taken(text))


@pytest.mark.parametrize(
    ("said", "wanted"), [("0", None), ("30", 30), ("2147483647", None), ("-1", None)]
)
def test_priorities_that_the_stack_file_has(said: str, wanted: int | None) -> None:
    """0 is Traefik's default; what is out of reach is told."""
    text = shop(web=router("web", "Host(`a.org`)", priority=said))
    assert routes(text)[0].get("priority") == wanted
    assert ("one is at most" in told(taken(text))) == (said in ("2147483647", "-1"))


def test_the_host_that_is_not_passed_on_is_told() -> None:
    """`passhostheader: false` changes what the service sees."""
    options = {"services.web.loadbalancer.passhostheader": "false"}
    found = taken(shop(web={**router("web", "Host(`a.org`)"), **options}))
    assert "the gateway passes the request's own host on" in told(found)


def test_a_router_of_another_port_alone_leaves_a_service_without_routes() -> None:
    """As when a variable names what nothing defines."""
    text = shop(
        web={
            **router("web", "Host(`a.org`)", service="other"),
            "services.one.loadbalancer.server.port": 80,
        }
    )
    assert routes(text) is None


def test_labels_whose_names_are_variables() -> None:
    """A variable may hold a `=`; and a later file's label is the same one."""
    label = "traefik.http.routers"
    text = f"""
services:
  base:
    image: i
    profiles: [never]
    labels:
      - {label}.${{R?not set}}.rule=Host(`a.org`)
      - {label}.${{R}}.${{TLS:-tls=true}}
      - {label}.${{R}}.service=${{R}}
      - traefik.http.services.${{R}}.loadbalancer.server.port=80
  web:
    extends: base
    profiles: !reset []
    labels: ["{label}.${{R}}.priority=7"]
"""
    found = taken(text, {"R": "erp"})
    web = found.data["services"]["web"]
    assert web["routes"] == [{"path": "/", "host": "a.org", "priority": 7}]
    assert "gateway" not in found.data  # which has TLS, then


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ("Host(`a`) && ClientIP(`10.0.0.0/8`)", [Match("a")]),
        ("Header(`X`, `y`) && Path(`/x`)", [Match(path="/x", exact=True)]),
        ("PathRegexp(`^/api/v[0-9]+`) || Host(`A`)", [Match(path="/api/v"), Match("a")]),
        ("PathRegexp(`/api`) && !Host(`b`)", []),
        ("PathRegexp(`^/ab?`)", [Match(path="/a")]),
        ("PathRegexp(`^/(a|b)`)", []),
        ("HostRegexp(`.+`)", []),
        ("Host(`a`", []),
    ],
)
def test_what_a_rule_goes_by_besides(rule: str, wanted: list[Match]) -> None:
    """Never less than what it takes."""
    assert list(loosely(rule)) == wanted


def test_paths_that_a_rule_says_no_to() -> None:
    assert negated("Host(`a`) && !PathPrefix(`/b`) && ! Path(`/c`)") == ("/b", "/c")


def test_what_is_said_of_several_services_is_one_line() -> None:
    """With all their lines, as long as it is the same key and the same file."""
    text = """
services:
  a: {image: i, container_name: x, pull_policy: always, labels: [traefik.b=1]}
  b: {image: i, container_name: y, labels: [traefik.b=1]}
"""
    lines = report(taken(text).notes, "f.yml")
    assert lines == [
        "f.yml:3,4: services.{a, b}.labels[0]: not carried: traefik.b has no place in the stack "
        "file",
        "f.yml:3: services.a.pull_policy: not carried: msctl up --pull asks the registry",
        "f.yml:3,4: services.{a, b}.container_name: not carried: containers are called "
        "shop-SERVICE-N; others reach this one by its name still",
    ]


def test_two_routers_of_one_match_are_one_route() -> None:
    """Traefik takes the one of more weight, and the stack file has one; what a variable makes equal
    is one, too."""
    web = {
        **router("web", "Host(`a.org`) || (Host(`a.org`) && PathPrefix(`${P:-}/`))"),
        **router("more", "Host(`b.org`)", priority=50),
    }
    other = {**router("less", "Host(`b.org`) && PathPrefix(`/`)"), **LAN}
    text = shop(web=web, other=other)
    assert routes(text) == [
        {"path": "/", "host": "a.org"},
        {"path": "/", "host": "b.org", "priority": 50},
    ]
    assert routes(text, "other") is None
    assert "left out: more has its requests" in told(taken(text))


def test_of_two_routers_of_one_weight_the_shut_one_is_taken() -> None:
    """Traefik has no order of them."""
    text = shop(
        web=router("web", "Host(`a.org`)"), other={**router("o", "Host(`a.org`)", "lan"), **LAN}
    )
    assert routes(text) is None
    assert routes(text, "other")


def test_a_router_that_leads_to_https_where_nothing_is_is_told() -> None:
    """With a twin by HTTPS it says nothing that the gateway does not do."""
    to_https = {"middlewares.s.redirectscheme.scheme": "https"}
    web = {**router("web", "Host(`a.org`)", "s"), **to_https}
    assert "left out: it only leads to HTTPS" in told(taken(shop(web=web)))
    both = {**web, **router("safe", "Host(`a.org`)", tls="true")}
    assert "left out" not in told(taken(shop(web=both)))


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
