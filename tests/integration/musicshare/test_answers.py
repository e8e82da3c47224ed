"""What comes in through MusicShare's gateway, route by route."""

from __future__ import annotations

import json
import ssl
import uuid
from typing import Any

import httpx
import pytest
from live import Visitor, until
from websockets.sync.client import connect

from musicshare.conftest import MusicShare
from musicshare.routes import BALANCED, ROUTES

pytestmark = pytest.mark.engine


@pytest.mark.parametrize(("path", "service", "arrives_as"), ROUTES)
def test_route(musicshare: MusicShare, path: str, service: str, arrives_as: str) -> None:
    """HTTPS leads each path to its service, with the prefix taken off where the seed says so;
    the longest prefix wins, and the frontend takes what no other route takes."""
    echo = musicshare.visitor.echo(path)
    assert (echo["service"], echo["path"]) == (service, arrives_as)
    assert echo["headers"]["X-Forwarded-Proto"] == "https"


def test_query_and_body(musicshare: MusicShare) -> None:
    """Query, method and body arrive as they were sent."""
    answer = musicshare.visitor.request("POST", "/api/users/me?a=1&a=2", content=b"x" * 1000)
    echo = answer.json()
    assert (echo["method"], echo["query"], echo["bytes"]) == ("POST", {"a": ["1", "2"]}, 1000)


def test_browsers_get_pages(musicshare: MusicShare) -> None:
    """A browser gets the frontend's page at any address of the application."""
    answer = musicshare.visitor.get("/songs/1", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert "<title>frontend</title>" in answer.text


@pytest.mark.parametrize("path", ["/", "/api/users/me?a=1"])
def test_http_is_redirected(musicshare: MusicShare, path: str) -> None:
    """HTTP is redirected to HTTPS on the published port, path and query kept."""
    plain = Visitor(f"http://127.0.0.1:{musicshare.http}")
    answer = plain.get(path)
    assert answer.status_code in (301, 308)
    assert answer.headers["Location"] == f"https://127.0.0.1:{musicshare.https}{path}"


def test_websocket(musicshare: MusicShare) -> None:
    """A WebSocket on /ws reaches notificationservice and carries messages both ways."""
    anyone = ssl.create_default_context()
    anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
    url = f"wss://127.0.0.1:{musicshare.https}/ws"
    with connect(url, ssl=anyone, open_timeout=10, proxy=None) as socket:
        assert json.loads(socket.recv(timeout=10))["service"] == "notificationservice"
        socket.send("a new song")
        assert socket.recv(timeout=10) == "a new song"
        socket.send(b"\x00\x01")
        assert socket.recv(timeout=10) == b"\x00\x01"


@pytest.mark.parametrize(("service", "path"), BALANCED.items())
def test_balanced_and_sticky(musicshare: MusicShare, service: str, path: str) -> None:
    """Strangers are spread evenly over both replicas; who keeps the service's cookie stays with
    one, and its session is not lost."""
    assert sorted(musicshare.visitor.replicas(f"{path}/x", 6).values()) == [3, 3]
    with musicshare.visitor.session() as client:
        visits: list[dict[str, Any]] = [client.get(f"{path}/session").json() for _ in range(6)]
        assert f"{service}_session" in client.cookies
    assert [visit["count"] for visit in visits] == [1, 2, 3, 4, 5, 6]
    assert len({visit["replica"] for visit in visits}) == 1


def _preflight(visitor: Visitor, path: str, origin: str) -> httpx.Response:
    asks = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
    return visitor.request("OPTIONS", path, headers=asks)


@pytest.mark.parametrize("path", BALANCED.values())
def test_cors(musicshare: MusicShare, path: str) -> None:
    """Each service answers for other origins itself, once; the gateway adds nothing."""
    visitor = musicshare.visitor
    allowed = _preflight(visitor, f"{path}/x", "https://musicshare.com")
    assert allowed.status_code == 204
    assert allowed.headers.get_list("Access-Control-Allow-Origin") == ["https://musicshare.com"]
    assert "PUT" in allowed.headers["Access-Control-Allow-Methods"]
    refused = _preflight(visitor, f"{path}/x", "https://elsewhere.example")
    assert "Access-Control-Allow-Origin" not in refused.headers


def test_access_log(musicshare: MusicShare) -> None:
    """The access log is JSON and keeps X-Request-Id, so that one request can be followed."""
    mark = str(uuid.uuid4())
    musicshare.visitor.get("/api/users/me", headers={"X-Request-Id": mark, "X-Other": "no"})
    gateway = musicshare.engine.containers.get(f"{musicshare.project}_traefik")

    def line() -> str | None:
        log = gateway.logs(tail=200).decode()
        return next((line for line in log.splitlines() if mark in line), None)

    record = json.loads(until(line, 30, "the request is in `docker logs PROJECT_traefik`"))
    assert record["request_X-Request-Id"] == mark
    assert "request_X-Other" not in record
    assert (record["RouterName"], record["DownstreamStatus"]) == ("userservice@docker", 200)
    assert record["ServiceAddr"].endswith(":8002")


def test_routes(musicshare: MusicShare) -> None:
    """`msctl routes` lists the seed's routes, all enabled, with every server UP."""
    routes = json.loads(musicshare.ok("routes", "--json").out)["routes"]
    found = {route["rule"]: route for route in routes}
    assert set(found) == {
        f"PathPrefix(`{path}`)"
        for path in (
            *BALANCED.values(),
            *("/swagger-ui", "/v3/api-docs", "/ws", "/upload", "/formulario-post", "/"),
        )
    }
    for route in routes:
        assert (route["status"], route["servers_up"]) == ("enabled", route["servers"]), route
    assert found["PathPrefix(`/`)"]["priority"] == 1
