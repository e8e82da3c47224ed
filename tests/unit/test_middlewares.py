"""Middlewares: one description, in labels and in pins alike."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msctl.model import Headers, Stack
from msctl.render.compose import document
from msctl.render.traefik import service_labels
from msctl.render.traefik.middlewares import middlewares
from msctl.render.traefik.pins import pin

SUBNET = {"sourcecriterion.ipstrategy.ipv6subnet": "64"}


def stack(routes: list[Any], *, tls: dict[str, Any] | None = None, **service: Any) -> Stack:
    web = {"image": "i", "port": 80, "routes": routes, **service}
    gateway = {"tls": tls or {"mode": "off"}}
    return Stack.read({"name": "shop", "gateway": gateway, "services": {"web": web}})


def chain(routes: list[Any], **more: Any) -> dict[str, dict[str, dict[str, str]]]:
    """Router → name → options."""
    whole = stack(routes, **more)
    found = middlewares(whole, "web", whole.services["web"])
    return {router: {m.name: dict(m.options) for m in chain} for router, chain in found.items()}


OFF = {"headers": False, "retry": "off"}


@pytest.mark.parametrize(
    ("given_key", "kind", "options"),
    [
        (
            {"rate_limit": 100},
            "ratelimit",
            {"average": "100", "burst": "100", "period": "1s", **SUBNET},
        ),
        (
            {"rate_limit": {"average": 5, "burst": 9, "period": "1m"}},
            "ratelimit",
            {"average": "5", "burst": "9", "period": "1m", **SUBNET},
        ),
        ({"in_flight": "10"}, "inflightreq", {"amount": "10", **SUBNET}),
        (
            {"ip_allow": ["10.1.2.3/8", "192.0.2.7", "::1"]},
            "ipallowlist",
            {"sourcerange": "10.0.0.0/8,192.0.2.7/32,::1/128"},
        ),
        ({"body_limit": "10M"}, "buffering", {"maxrequestbodybytes": "10485760"}),
        ({"retry": 5}, "retry", {"attempts": "5", "initialinterval": "50ms"}),
        ({"basic_auth": "alice"}, "basicauth", {"realm": "shop", "removeheader": "true"}),
        (
            {
                "headers": {
                    "frame": "sameorigin",
                    "referrer": False,
                    "csp": "default-src 'self', x",
                    "permissions": "camera=()",
                    "response": {"Server": "mine", "X-A": 1},
                }
            },
            "headers",
            {
                "contenttypenosniff": "true",
                "customframeoptionsvalue": "SAMEORIGIN",
                "contentsecuritypolicy": "default-src 'self', x",
                "permissionspolicy": "camera=()",
                "customresponseheaders.Server": "mine",
                "customresponseheaders.X-Powered-By": "",
                "customresponseheaders.X-A": "1",
            },
        ),
    ],
    ids=str,
)
def test_each_key_is_one_middleware(
    given_key: dict[str, Any], kind: str, options: dict[str, str]
) -> None:
    """Of the service, and alike of a route."""
    assert chain(["/"], **{**OFF, **given_key}) == {"web": {f"web-{kind}": options}}
    route = {"path": "/", **given_key}
    assert chain([route], **OFF) == {"web": {f"web-{kind}": options}}


def test_the_order_is_that_in_which_a_request_meets_them() -> None:
    """Headers around all; addresses, then limits, before a password is checked; retry last."""
    everything = {
        "rate_limit": 1,
        "in_flight": 1,
        "ip_allow": "::1",
        "basic_auth": "alice",
        "body_limit": "1M",
    }
    names = list(chain([{"path": "/a", "strip": True}], **everything)["web"])
    kinds = [
        "headers", "ipallowlist", "ratelimit", "inflightreq", "basicauth", "buffering",
        "stripprefix", "retry",
    ]  # fmt: skip
    assert names == [f"web-{kind}" for kind in kinds]


def test_a_routes_own_key_wins_and_off_takes_it_away() -> None:
    """What a route says is its own; the others keep their service's, each in its own name."""
    found = chain(
        ["/a", {"path": "/b", "rate_limit": 7}, {"path": "/c", "rate_limit": False, "retry": 1}],
        rate_limit=5,
        headers=False,
    )
    averages = {
        router: {name: o["average"] for name, o in chain.items() if "average" in o}
        for router, chain in found.items()
    }
    assert averages == {
        "web": {"web-ratelimit": "5"},
        "web-b": {"web-b-ratelimit": "7"},
        "web-c": {},
    }
    assert found["web"]["web-retry"]["attempts"] == "3"
    assert found["web-c"]["web-c-retry"]["attempts"] == "1"


@pytest.mark.parametrize(
    ("tls", "headers", "seconds"),
    [
        ({"mode": "self-signed"}, {}, None),
        ({"mode": "off"}, {}, None),
        ({"mode": "files", "cert": "c", "key": "k"}, {}, "31536000"),
        ({"mode": "acme", "email": "me@example.org"}, {"hsts": "1h"}, "3600"),
        ({"mode": "acme", "email": "me@example.org"}, {"hsts": "off"}, None),
    ],
)
def test_browsers_are_kept_on_https_unless_they_could_not_get_in(
    tls: dict[str, Any], headers: dict[str, Any], seconds: str | None
) -> None:
    """HSTS with a certificate that everybody trusts, and only then."""
    found = chain(["/"], tls=tls, headers=headers)["web"]["web-headers"]
    assert found.get("stsseconds") == seconds


def test_who_may_come_is_in_no_label() -> None:
    """Neither a name nor a hash: the router names a middleware of the gateway's own file."""
    whole = stack(["/"], basic_auth=["alice", "bob"])
    labels = service_labels(whole, "web", whole.services["web"])
    assert labels["traefik.http.routers.web.middlewares"].split(",")[1] == "web-basicauth@file"
    assert [key for key in labels if "basicauth" in key] == []
    assert "alice" not in json.dumps(document(whole))


ROUTE_KEYS = st.fixed_dictionaries(
    {},
    optional={
        "strip": st.booleans(),
        "rate_limit": st.just(False) | st.integers(1, 1000),
        "in_flight": st.just(False) | st.integers(1, 1000),
        "ip_allow": st.just(False) | st.just(["10.0.0.0/8", "::1"]),
        "basic_auth": st.just(False) | st.just(["alice"]),
        "body_limit": st.just(False) | st.integers(1, 2**30),
        "retry": st.just(False) | st.integers(1, 10),
        "headers": st.booleans()
        | st.fixed_dictionaries(
            {"csp": st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)}
        ),
    },
)


@given(
    routes=st.lists(ROUTE_KEYS, min_size=1, max_size=3),
    service=ROUTE_KEYS.map(lambda keys: {k: v for k, v in keys.items() if k != "strip"}),
)
def test_a_pin_has_the_middlewares_of_the_labels(
    routes: list[dict[str, Any]], service: dict[str, Any]
) -> None:
    """Whatever is asked for: each router of a pin has the same ones in the same order, all that
    it names is there, and nothing in it is a template."""
    whole = stack([{"path": f"/{n}", **route} for n, route in enumerate(routes)], **service)
    labels = service_labels(whole, "web", whole.services["web"])
    text = pin(labels, "web", "a", ["http://10.0.0.1:80"])
    assert "{{" not in text
    http = json.loads(text)["http"]
    for router, wanted in middlewares(whole, "web", whole.services["web"]).items():
        names = [m.reference if m.users else f"{m.name}-a" for m in wanted]
        found = http["routers"][f"{router}-a"].get("middlewares", "")
        assert found == ",".join(names)
        for one in wanted:
            if not one.users:
                body = http["middlewares"][f"{one.name}-a"][one.kind]
                assert _flat(body) == dict(one.options)


def _flat(body: dict[str, Any], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in body.items():
        found |= (
            _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
        )
    return found


def test_a_frame_may_be_left_to_the_service() -> None:
    """`frame: off` is what the table in the README says it is."""
    assert Headers.read({"frame": "off"}).frame is None
    assert Headers.read({"frame": False}).frame is None
