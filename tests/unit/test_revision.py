"""A revision is a rendered service that a container carries, and that comes back from it."""

from __future__ import annotations

from typing import Any

import pytest
from memory.stacks import stack_of

from msctl.engines.compose.revision import Revision
from msctl.engines.compose.servers import Server
from msctl.render.canonical import canonical
from msctl.render.compose import document


def revision(name: str = "web", **service: Any) -> Revision:
    """The revision of one service of a stack with three networks."""
    stack = stack_of({name: service}, networks=["back", "side", "third"])
    whole = canonical(document(stack), working_dir="/srv/shop", project="shop")
    return Revision.of(whole, name)


SERVICES: list[dict[str, Any]] = [
    {},
    {"env": {"A": "é\"'$$"}, "command": ["a", "b c"]},
    {"volumes": ["data:/data", "./conf:/conf:ro", "/anonymous"], "stateful": True},
    {"secrets": ["key", {"name": "key", "template": "k={secret}", "target": "/k"}]},
    {"networks": ["side", "back"]},
    {"port": 80, "routes": ["/"], "health": {"path": "/h"}, "sticky": "cookie"},
]


@pytest.mark.parametrize("service", SERVICES)
def test_a_revision_comes_back_from_its_label(service: dict[str, Any]) -> None:
    """What is written as JSON reads as the same revision, with the same hash."""
    made = revision(**service)
    again = Revision.from_json("web", made.to_json())
    assert again == made
    assert again.hash == made.hash
    assert again.to_json() == made.to_json()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"service": []}', "null", '{"service": {}}']
)
def test_what_is_no_revision_is_refused(text: str) -> None:
    """A label that somebody else wrote is an error, not half a revision."""
    with pytest.raises(ValueError):  # noqa: PT011 - what JSON says of it is its own
        Revision.from_json("web", text)


def test_a_revision_holds_only_what_its_service_names() -> None:
    """Another service's volume, network or secret is no part of it."""
    stack = stack_of(
        {
            "web": {"volumes": ["mine:/data"], "networks": ["side"], "secrets": ["own"]},
            "api": {"volumes": ["other:/data"], "secrets": ["else"]},
        },
        networks=["back", "side"],
    )
    whole = canonical(document(stack), working_dir="/srv/shop", project="shop")
    web = Revision.of(whole, "web")
    assert (list(web.volumes), list(web.networks), list(web.secrets)) == (
        ["mine"],
        ["side"],
        ["own"],
    )


def test_names_are_the_engines() -> None:
    """Networks and volumes are known by the names that the engine gives them."""
    made = revision(networks=["side", "back"], volumes=["data:/data", "./conf:/conf:ro"])
    assert made.network_names() == ("shop_back", "shop_side")
    assert made.volume_names() == ("shop_data",)
    assert made.bind_mounts() == (("/srv/shop/conf", True),)


def test_the_network_with_the_highest_priority_comes_first() -> None:
    """The first network is given at creation, and decides about the default route."""
    made = revision(networks=["back", "side", "third"])
    networks = {"back": None, "side": {"priority": 5}, "third": {"priority": 10}}
    service = {**made.service, "networks": networks}
    changed = Revision("web", service, made.networks, {}, {})
    assert changed.network_names() == ("shop_third", "shop_side", "shop_back")


def test_the_gateway_reaches_a_routed_service_by_network_and_port() -> None:
    """The labels say how; a service without routes is not reached."""
    routed = revision(port=8000, routes=["/"], networks=["side", "back"])
    assert routed.server("shop-1") == Server("shop-1", "shop_side", 8000)
    assert revision(port=8000).server("shop-1") is None


def test_the_number_of_replicas_is_no_part_of_the_hash() -> None:
    """Scaling in the file changes no container."""
    assert revision(replicas=1).hash == revision(replicas=5).hash


@pytest.mark.parametrize(
    "change",
    [
        {"env": {"A": "1"}},
        {"image": "web:2"},
        {"command": "run"},
        {"labels": {"a": "b"}},
        {"networks": ["side"]},
        {"resources": {"memory": "1G"}},
        {"stop_grace": "20s"},
        {"restart": "no"},
    ],
)
def test_whatever_changes_a_container_changes_the_hash(change: dict[str, Any]) -> None:
    """An edited service is noticed."""
    assert revision(**change).hash != revision().hash
