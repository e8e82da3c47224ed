"""Each middleware that is rendered for Kubernetes does in the real Traefik what its key says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cluster import Api, Background, Gateway, Pods
from live import Visitor, free_port
from memory.stacks import stack_of

from msctl.render import kubernetes

HOST = "shop.example.test"
ROUTES: list[dict[str, Any]] = [
    {"path": "/open"},
    {"path": "/stripped", "strip": True},
    {"path": "/limited", "rate_limit": {"average": 1, "burst": 5, "period": "10s"}},
    {"path": "/few", "in_flight": 1},
    {"path": "/inside", "ip_allow": ["192.0.2.0/24"]},
    {"path": "/small", "body_limit": "1K"},
    {"path": "/bare", "headers": False},
    {"path": "/told", "headers": {"csp": "default-src 'self'", "response": {"X-One": "1"}}},
    {"path": "/", "host": HOST},
]


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """Somebody outside of a service behind each of the middlewares."""
    web = {"port": 80, "routes": ROUTES, "env": {"SERVICE_NAME": "web"}}
    stack = stack_of({"web": web}, gateway={"tls": {"mode": "off"}})
    assert list(kubernetes.problems(stack)) == []
    objects = kubernetes.objects(stack)
    api = Api(objects)
    with Background() as background:
        ports = {name: free_port() for name in ("web", "traefik", "ready")}
        url = f"http://127.0.0.1:{background.serve(api.application())}"
        gateway = Gateway(objects, tmp_path_factory.mktemp("gateway"), url, ports)
        (deployment,) = [o for o in objects if o["metadata"]["name"] == "web"
                         and o["kind"] == "Deployment"]  # fmt: skip
        Pods(api, background, objects).start(deployment, 2)
        try:
            gateway.start()
            gateway.await_routers(len(ROUTES) + 1)  # its own for readiness
            yield Visitor(f"http://127.0.0.1:{ports['web']}")
        finally:
            gateway.stop()


def test_prefix(visitor: Visitor) -> None:
    """It is taken off where the route says so."""
    assert visitor.echo("/open/x")["path"] == "/open/x"
    assert visitor.echo("/stripped/x")["path"] == "/x"


def test_rate_limit(visitor: Visitor) -> None:
    """The burst passes, what is more gets 429."""
    with visitor.session() as client:
        found = Counter(client.get("/limited").status_code for _ in range(20))
    assert found == {200: 5, 429: 15}


def test_in_flight(visitor: Visitor) -> None:
    """One request at a time; another meanwhile gets 429."""
    with ThreadPoolExecutor(2) as pool:
        slow = [pool.submit(visitor.get, "/few?delay_ms=800") for _ in range(2)]
        assert sorted(one.result().status_code for one in slow) == [200, 429]


def test_addresses(visitor: Visitor) -> None:
    """Who is not of the range gets 403, whatever address is claimed."""
    headers = {"X-Forwarded-For": "192.0.2.7"}
    assert visitor.get("/inside", headers=headers).status_code == 403


def test_body_limit(visitor: Visitor) -> None:
    """A larger body gets 413."""
    assert visitor.request("POST", "/small", content=b"x" * 1024).status_code == 200
    assert visitor.request("POST", "/small", content=b"x" * 1025).status_code == 413


def test_headers(visitor: Visitor) -> None:
    """Security headers unless they are off; more, where the file has more."""
    assert visitor.get("/open").headers["X-Frame-Options"] == "DENY"
    assert "X-Frame-Options" not in visitor.get("/bare").headers
    told = visitor.get("/told").headers
    assert (told["Content-Security-Policy"], told["X-One"]) == ("default-src 'self'", "1")


def test_host(visitor: Visitor) -> None:
    """A route with a host is for that host alone."""
    assert visitor.get("/", headers={"Host": HOST}).status_code == 200
    assert visitor.get("/").status_code == 404
