"""What the gateway is told of services: their labels."""

from __future__ import annotations

from typing import Any

import pytest
from routed import flags, stack

from msctl.model import Route, Service
from msctl.render.traefik import service_labels
from msctl.render.traefik.routers import priority, router_names, rule

SEED_SEARCHSERVICE = [
    "traefik.enable=true",
    "traefik.http.routers.searchservice.rule=PathPrefix(`/api/search`)",
    "traefik.http.middlewares.searchservice-stripprefix.stripprefix.prefixes=/api/search",
    "traefik.http.routers.searchservice.middlewares=searchservice-stripprefix",
    "traefik.http.services.searchservice.loadbalancer.server.port=8084",
    "traefik.http.routers.searchservice.entrypoints=websecure",
    "traefik.http.routers.searchservice.tls=true",
]
"""The labels by which MusicShare's guide adds a service."""


def labels(
    service: dict[str, Any], name: str = "web", gateway: dict[str, Any] | None = None
) -> dict[str, str]:
    whole = stack(gateway=gateway, **{name: {"image": "i", "port": 80, **service}})
    return service_labels(whole, name, whole.services[name])


def security_headers(name: str) -> dict[str, str]:
    prefix = f"traefik.http.middlewares.{name}-headers.headers"
    return {
        f"{prefix}.contenttypenosniff": "true",
        f"{prefix}.framedeny": "true",
        f"{prefix}.referrerpolicy": "strict-origin-when-cross-origin",
        f"{prefix}.customresponseheaders.Server": "",
        f"{prefix}.customresponseheaders.X-Powered-By": "",
    }


def test_the_labels_are_those_of_the_guide() -> None:
    """A service like the guide's gets the guide's labels, and what was left to Traefik's guess."""
    found = labels(
        {"port": 8084, "routes": [{"path": "/api/search", "strip": True}]}, name="searchservice"
    )
    seed = dict(label.split("=", 1) for label in SEED_SEARCHSERVICE)
    seed["traefik.http.routers.searchservice.middlewares"] = (
        "searchservice-headers,searchservice-stripprefix,searchservice-retry"
    )
    assert {key: found[key] for key in seed} == seed
    assert {key: value for key, value in found.items() if key not in seed} == {
        "traefik.docker.network": "shop_front",
        "traefik.http.routers.searchservice.priority": "25",
        "traefik.http.routers.searchservice.service": "searchservice",
        **security_headers("searchservice"),
        "traefik.http.middlewares.searchservice-retry.retry.attempts": "3",
        "traefik.http.middlewares.searchservice-retry.retry.initialinterval": "50ms",
    }


def test_a_service_without_routes_has_no_labels() -> None:
    """What is internal is unknown to the gateway, also when it has a port and a health check."""
    assert labels({"health": {"path": "/health"}, "sticky": "s"}) == {}


def test_the_gateway_reaches_a_service_by_its_first_network() -> None:
    """The network is named as the engine names it."""
    found = labels({"routes": ["/"], "networks": ["back", "front"]})
    assert found["traefik.docker.network"] == "shop_back"


def test_each_route_has_a_router_of_its_own() -> None:
    """All lead to the one service and are retried; only the stripped ones are stripped."""
    found = labels({"routes": [{"path": "/api", "strip": True}, "/ws"]})
    assert found["traefik.http.routers.web.rule"] == "PathPrefix(`/api`)"
    assert found["traefik.http.routers.web-ws.rule"] == "PathPrefix(`/ws`)"
    assert found["traefik.http.routers.web.service"] == "web"
    assert found["traefik.http.routers.web-ws.service"] == "web"
    assert found["traefik.http.routers.web.middlewares"] == "web-headers,web-stripprefix,web-retry"
    assert found["traefik.http.routers.web-ws.middlewares"] == "web-headers,web-retry"


@pytest.mark.parametrize(
    ("routes", "names"),
    [
        (["/api"], ("web",)),
        (["/api", "/v3/api-docs"], ("web", "web-v3-api-docs")),
        (["/a-b", "/a/b", "/a_b"], ("web", "web-a-b", "web-a-b-2")),
        (["/", {"path": "/", "host": "www.example.org"}], ("web", "web-www-example-org")),
        ([{"host": "a.org"}, "/", "/a/2", "/a", "/A"], None),
        (["/x", "/a-2", "/a", "/A"], ("web", "web-a-2", "web-a", "web-a-3")),
    ],
)
def test_routers_are_named_after_service_and_path(
    routes: list[Any], names: tuple[str, ...] | None
) -> None:
    """The first has the service's name; all names of a service differ."""
    service = Service.read({"image": "i", "port": 80, "routes": routes})
    found = router_names("web", service)
    assert len(set(found)) == len(routes)
    assert found == names or names is None


@pytest.mark.parametrize(
    ("route", "wanted", "weight"),
    [
        ({"path": "/api/users"}, "PathPrefix(`/api/users`)", 24),
        ({"path": "/", "priority": 1}, "PathPrefix(`/`)", 1),
        ({"host": "a.org"}, "Host(`a.org`) && PathPrefix(`/`)", 32),
        ({"host": "a.org", "path": "/x"}, "Host(`a.org`) && PathPrefix(`/x`)", 33),
    ],
)
def test_rule_and_priority(route: dict[str, Any], wanted: str, weight: int) -> None:
    """The priority is the rule's length, as Traefik's own default, unless the file gives one."""
    found = Route.read(route)
    assert rule(found) == wanted
    assert priority(found) == weight


@pytest.mark.parametrize("gateway", [{"tls": {"mode": "off"}}, {"https": False}])
def test_without_tls_routes_are_served_by_http(gateway: dict[str, Any]) -> None:
    """There is neither a TLS label nor a redirect to where nothing listens."""
    found = labels({"routes": ["/"]}, gateway=gateway)
    assert found["traefik.http.routers.web.entrypoints"] == "web"
    assert "traefik.http.routers.web.tls" not in found
    assert not [flag for flag in flags(**gateway) if "redirections" in flag]


def test_the_health_check_of_the_gateway() -> None:
    """The gateway asks the path in the service's own rhythm."""
    found = labels(
        {"routes": ["/"], "health": {"path": "/up", "interval": "1m30s", "timeout": "500ms"}}
    )
    prefix = "traefik.http.services.web.loadbalancer.healthcheck"
    assert {key: value for key, value in found.items() if key.startswith(prefix)} == {
        f"{prefix}.path": "/up",
        f"{prefix}.interval": "1m30s",
        f"{prefix}.timeout": "500ms",
    }


def test_a_health_check_without_a_path_is_the_engines_alone() -> None:
    """A command in the container says nothing that the gateway could ask."""
    found = labels({"routes": ["/"], "health": {"command": ["true"]}})
    assert not [key for key in found if "healthcheck" in key]


@pytest.mark.parametrize(
    ("sticky", "wanted"),
    [
        ("s", {"": "true", ".name": "s"}),
        (
            {"name": "s", "secure": True, "http_only": True, "same_site": "Lax", "max_age": 0},
            {
                "": "true",
                ".name": "s",
                ".secure": "true",
                ".httponly": "true",
                ".samesite": "lax",
                ".maxage": "0",
            },
        ),
    ],
)
def test_the_sticky_cookie(sticky: Any, wanted: dict[str, str]) -> None:
    """The cookie's name is the file's, and only the attributes that it gives are set."""
    found = labels({"routes": ["/"], "sticky": sticky})
    prefix = "traefik.http.services.web.loadbalancer.sticky.cookie"
    assert {
        key.removeprefix(prefix): value for key, value in found.items() if key.startswith(prefix)
    } == wanted


def test_a_probe_holds_no_template() -> None:
    """Traefik runs the files of its file provider as templates: `{{` stays a text."""
    import json

    from msctl.render.traefik.pins import probe

    text = probe("shop-web-1", "http://10.0.0.2:80", "/{{ env `HOME` }}")
    assert "{{" not in text
    content = json.loads(text)["http"]
    assert content["middlewares"]["probe-shop-web-1"]["replacePath"]["path"] == "/{{ env `HOME` }}"
    assert content["routers"]["probe-shop-web-1"]["entryPoints"] == ["probe"]
