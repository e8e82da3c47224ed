"""When the requests of a load test start, and where they go."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory import stack_of

from msctl.errors import MsctlError, UsageProblem
from msctl.loadtest.shape import Shape, shape
from msctl.loadtest.target import Target, target

SHAPES: list[tuple[dict[str, Any], Shape, str]] = [
    ({}, Shape(workers=1, delay=0.5, requests=20), "20 requests one after the other, 500 ms apart"),
    ({"requests": 500}, Shape(workers=1, requests=500), "500 requests one after the other"),
    ({"requests": 1}, Shape(workers=1, requests=1), "1 request"),
    (
        {"delay": 0.2},
        Shape(workers=1, delay=0.2, requests=20),
        "20 requests one after the other, 200 ms apart",
    ),
    ({"seconds": 3}, Shape(workers=1, seconds=3), "requests one after the other for 3 s"),
    ({"concurrency": 50}, Shape(workers=50, seconds=10), "requests, 50 at once, for 10 s"),
    (
        {"concurrency": 5, "requests": 60, "delay": 0.01},
        Shape(workers=5, requests=60, delay=0.01),
        "60 requests, 5 at once, 10 ms apart",
    ),
    ({"rate": 300}, Shape(rate=300, seconds=10), "3000 requests at 300/s for 10 s"),
    ({"rate": 300, "seconds": 20}, Shape(rate=300, seconds=20), "6000 requests at 300/s for 20 s"),
    ({"rate": 2.5, "requests": 9}, Shape(rate=2.5, requests=9), "9 requests at 2.5/s"),
    (
        {"sticky": True, "requests": 4},
        Shape(workers=1, requests=4, clients=4),
        "4 requests one after the other, by 4 clients with cookies",
    ),
    (
        {"sticky": True, "clients": 3, "rate": 10},
        Shape(rate=10, seconds=10, clients=3),
        "100 requests at 10/s for 10 s, by 3 clients with cookies",
    ),
]


@pytest.mark.parametrize(("options", "wanted", "words"), SHAPES, ids=lambda value: str(value))
def test_options_give_a_shape(options: dict[str, Any], wanted: Shape, words: str) -> None:
    """What is left out has a value that a person would expect; the shape says itself in words."""
    found = shape(**options)
    assert (found, str(found)) == (wanted, words)


@settings(deadline=None)
@given(rate=st.floats(0.1, 5000), seconds=st.floats(0.1, 600))
def test_a_rate_for_a_time_is_so_many_requests(rate: float, seconds: float) -> None:
    """Every request is due within the time, and one more would not be."""
    found = shape(rate=rate, seconds=seconds)
    assert found.planned is not None
    assert found.due(found.planned - 1) < seconds
    assert found.due(found.planned) >= seconds * (1 - 1e-5) - 1e-6 / rate


@settings(deadline=None)
@given(number=st.integers(0, 10_000), clients=st.integers(1, 100))
def test_clients_take_turns(number: int, clients: int) -> None:
    """No client comes again before every other has come."""
    found = shape(sticky=True, clients=clients, requests=20_000)
    turn = {found.client(n) for n in range(number, number + clients)}
    assert turn == set(range(clients))
    assert shape(requests=5).client(3) is None


STACK = stack_of(
    {
        "users": {"port": 80, "routes": ["/api/users", {"path": "/v2/users", "host": "two.test"}]},
        "front": {"port": 80, "routes": [{"path": "/", "host": "shop.test"}]},
        "jobs": {},
    },
    gateway={"http": "8000", "https": "8443"},
)
PLACES = [
    ("users", None, "https://127.0.0.1:8443/api/users", None),
    ("users", "/login", "https://127.0.0.1:8443/api/users/login", None),
    ("users", "login", "https://127.0.0.1:8443/api/users/login", None),
    ("users", "?delay_ms=5", "https://127.0.0.1:8443/api/users?delay_ms=5", None),
    ("users", "/api/users/7?full=1", "https://127.0.0.1:8443/api/users/7?full=1", None),
    ("users", "/api/usersx", "https://127.0.0.1:8443/api/users/api/usersx", None),
    ("users", "/v2/users/7", "https://two.test:8443/v2/users/7", "two.test"),
    ("front", None, "https://shop.test:8443/", "shop.test"),
    ("front", "/a/b", "https://shop.test:8443/a/b", "shop.test"),
]


@pytest.mark.parametrize(("service", "path", "url", "name"), PLACES)
def test_a_path_leads_from_the_services_routes(
    service: str, path: str | None, url: str, name: str | None
) -> None:
    """It is whole where it begins with a route, else put behind the first route."""
    found = target(STACK, service, path=path)
    assert (found.url, found.host, found.name) == (url, "127.0.0.1", name)


ADDRESSES = [
    ({"http": "80", "https": "443"}, "https://127.0.0.1/", "127.0.0.1"),
    ({"http": "80", "https": "off"}, "http://127.0.0.1/", "127.0.0.1"),
    ({"http": "81", "tls": {"mode": "off"}}, "http://127.0.0.1:81/", "127.0.0.1"),
    ({"https": "10.0.0.5:443"}, "https://10.0.0.5/", "10.0.0.5"),
    ({"https": "[::1]:444"}, "https://[::1]:444/", "::1"),
]


@pytest.mark.parametrize(("gateway", "url", "host"), ADDRESSES)
def test_requests_go_to_the_published_port(gateway: dict[str, Any], url: str, host: str) -> None:
    """By HTTPS where the gateway has TLS; to this machine where it listens on all addresses."""
    found = target(stack_of({"web": {"port": 80, "routes": ["/"]}}, gateway=gateway), "web")
    assert (found.url, found.host) == (url, host)


def test_a_gateway_without_a_port_cannot_be_reached() -> None:
    """It is said what to set."""
    stack = stack_of(
        {"web": {"port": 80, "routes": ["/"]}},
        gateway={"http": "off", "https": "off", "tls": {"mode": "off"}},
    )
    with pytest.raises(MsctlError, match="publishes no port") as caught:
        target(stack, "web")
    assert "gateway.http" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("unix:///var/run/docker.sock", "127.0.0.1"),
        ("npipe:////./pipe/docker_engine", "127.0.0.1"),
        ("tcp://build.example:2376", "build.example"),
        ("ssh://ops@build.example", "build.example"),
    ],
)
def test_a_remote_engine_publishes_on_its_own_machine(address: str, host: str) -> None:
    """The connection goes there; the name that is asked for stays the route's."""
    found = target(STACK, "front").at(address)
    assert (found.host, found.url) == (host, "https://shop.test:8443/")


def test_a_port_on_one_address_stays_there() -> None:
    """What is published on one address only is nowhere else."""
    found = Target("http", "10.0.0.5", 80, "/")
    assert found.at("tcp://build.example:2376") == found


def test_no_service_has_routes() -> None:
    """The hint names nothing that is not there."""
    with pytest.raises(UsageProblem, match="jobs is internal") as caught:
        target(stack_of({"jobs": {}}), "jobs")
    assert caught.value.hint == "add routes to services.jobs"
