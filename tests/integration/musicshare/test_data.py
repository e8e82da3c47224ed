"""MusicShare's databases, shared files and measurements: reached by whom they serve, by nobody
else."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from live import Visitor, until

from musicshare.conftest import MusicShare

pytestmark = pytest.mark.engine

DEPENDENCIES = [
    ("/api/users", "postgres", "postgres:5432/users_db"),
    ("/api/social", "postgres", "postgres:5432/social_db"),
    ("/api/notifications", "rabbitmq", "rabbitmq:5672/"),
    ("/api/music", "metadata", "metadata-service:50051"),
]
QUERIES = [
    "sum(rate(traefik_entrypoint_requests_total[1m]))",
    "histogram_quantile(0.95, sum(rate(traefik_service_request_duration_seconds_bucket[5m]))"
    " by (le))",
    'sum by(service) (increase(traefik_service_requests_total{code=~"2.."}[5m]))',
    "sum by(router) (rate(traefik_router_requests_total[1m]))",
]
CONNECT = "import socket,sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)"


@pytest.mark.parametrize(("path", "name", "target"), DEPENDENCIES)
def test_dependencies(musicshare: MusicShare, path: str, name: str, target: str) -> None:
    """Every replica is connected to what it depends on, with a password that works."""
    with musicshare.visitor.session() as client:

        def connected() -> bool:
            found = [client.get(f"{path}/health").json() for _ in range(4)]
            client.cookies.clear()
            seen = [health["dependencies"][name] for health in found]
            assert {dependency["target"] for dependency in seen} == {target}
            return all(dependency["ok"] for dependency in seen)

        until(connected, 20, f"{path} is connected to {target}")


def test_uploads_are_shared(musicshare: MusicShare) -> None:
    """What one replica of music-service stores, the other can read."""
    first, second = sorted(musicshare.ids("music-service"))
    store = ["sh", "-c", "echo la la la > /app/uploads/song"]
    assert musicshare.exec(first, *store) == (0, "")
    assert musicshare.exec(second, "cat", "/app/uploads/song") == (0, "la la la\n")


def _networks(musicshare: MusicShare, service: str) -> set[str]:
    (name, *_) = musicshare.ids(service)
    return set(musicshare.inspect(name)["NetworkSettings"]["Networks"])


@pytest.mark.parametrize(
    ("service", "network"),
    [
        ("postgres", "postgres_net"),
        ("rabbitmq", "rabbitmq_net"),
        ("metadata-service", "metadata_net"),
    ],
)
def test_isolation(musicshare: MusicShare, service: str, network: str) -> None:
    """What holds data is on a network of its own, away from the gateway's."""
    assert _networks(musicshare, service) == {f"{musicshare.project}_{network}"}
    gateways = {f"{musicshare.project}_{name}" for name in ("backend_net", "socket-proxy")}
    assert _networks(musicshare, "traefik") == gateways


def test_databases_are_out_of_reach(musicshare: MusicShare) -> None:
    """From the gateway's network PostgreSQL cannot be reached, neither by name nor by address;
    from a service that needs it, it can."""
    name = f"{musicshare.project}-postgres-1"
    networks = musicshare.inspect(name)["NetworkSettings"]["Networks"]
    address = networks[f"{musicshare.project}_postgres_net"]["IPAddress"]
    outside, inside = (f"{musicshare.project}-{one}-1" for one in ("nextjs", "userservice"))
    assert musicshare.exec(inside, "python3", "-c", CONNECT, "postgres", "5432") == (0, "")
    for target in ("postgres", address):
        status, output = musicshare.exec(outside, "python3", "-c", CONNECT, target, "5432")
        assert status != 0, f"{target} answers"
        assert "rror" in output  # of a name or a connection, by Python


def test_dashboard(musicshare: MusicShare) -> None:
    """The dashboard and the API answer on loopback, and on no other address."""
    assert musicshare.gateway_api.get("/dashboard/").status_code == 200
    services = {one["name"] for one in musicshare.gateway_api.get("/api/http/services").json()}
    assert {"userservice@docker", "frontend@docker"} <= services
    network = musicshare.engine.api.inspect_network(f"{musicshare.project}_backend_net")
    elsewhere = network["IPAM"]["Config"][0]["Gateway"]  # an address of this machine
    with pytest.raises(OSError, match=r"refused|timed out|unreachable"):
        socket.create_connection((elsewhere, musicshare.dashboard), timeout=3).close()
    socket.create_connection((elsewhere, musicshare.https), timeout=3).close()


def _query(prometheus: Visitor, query: str) -> list[dict[str, Any]]:
    answer = prometheus.get("/api/v1/query", params={"query": query})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]["result"]
    return found


def test_prometheus_scrapes_the_gateway(musicshare: MusicShare) -> None:
    """Prometheus has the gateway's numbers, each router's too, and answers the seed's queries."""
    prometheus = Visitor(f"http://127.0.0.1:{musicshare.prometheus}")
    musicshare.visitor.get("/api/users/me")

    def routers() -> set[str]:
        rows = _query(prometheus, "traefik_router_requests_total")
        return {row["metric"]["router"] for row in rows}

    until(lambda: "userservice@docker" in routers(), 30, "requests to userservice are counted")
    targets = prometheus.get("/api/v1/targets").json()["data"]["activeTargets"]
    health = {target["labels"]["job"]: target["health"] for target in targets}
    assert health["traefik"] == "up"
    for query in QUERIES:
        until(lambda query=query: _query(prometheus, query), 30, f"{query} has an answer")


def test_rules(musicshare: MusicShare) -> None:
    """Prometheus has loaded the project's rules, and none of them fails."""
    prometheus = Visitor(f"http://127.0.0.1:{musicshare.prometheus}")
    groups = prometheus.get("/api/v1/rules").json()["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert rules
    assert [rule["name"] for rule in rules if rule["health"] == "err"] == []
