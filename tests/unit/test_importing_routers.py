"""`msctl.importing`: the routers of a Compose file as routes, and what is said of them."""

from __future__ import annotations

import pytest
from routers import LAN, router, routes, shop
from taking import taken, told

from msctl.importing.report import report
from msctl.importing.routes.rules import Match, loosely


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


def test_a_router_that_leads_to_https_where_nothing_is_is_told() -> None:
    """With a twin by HTTPS it says nothing that the gateway does not do."""
    to_https = {"middlewares.s.redirectscheme.scheme": "https"}
    web = {**router("web", "Host(`a.org`)", "s"), **to_https}
    assert "left out: it only leads to HTTPS" in told(taken(shop(web=web)))
    both = {**web, **router("safe", "Host(`a.org`)", tls="true")}
    assert "left out" not in told(taken(shop(web=both)))
