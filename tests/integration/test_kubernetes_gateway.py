"""What is rendered for Kubernetes, read by the real Traefik out of an API, routes as Compose does.

No node, kubelet or Docker engine is there: the API is a stand-in that is listed and watched, and
the pods are sample services in this process.
"""

from __future__ import annotations

import json
import re
import ssl
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from cluster import Api, Background, Gateway, Pods, address
from live import REPOSITORY, Visitor, free_port, until
from musicshare.routes import BALANCED, ROUTES
from websockets.sync.client import connect

from msctl.config import load
from msctl.files.bindfiles import read_bind_files
from msctl.render import kubernetes
from msctl.render.kubernetes.gateway import PORTS
from msctl.render.kubernetes.scaling import traefik_names

REPLICAS = 2
PASSED_ON = ("/api", "/ws")
"""What the frontend, the public service there, passes on to the gateway."""
LED_BACK = [
    path for path, service, _ in ROUTES if path.startswith(PASSED_ON) and service == "frontend"
]
"""No route takes these but the frontend's own, which passes them on: nobody has them."""
LIMITED = "formulario-post"
"""Whose limit is used up."""


@dataclass
class MusicShare:
    """MusicShare behind the rendered gateway."""

    objects: list[dict[str, Any]]
    api: Api
    background: Background
    pods: Pods
    gateway: Gateway
    authority: trustme.CA
    front: str
    """Host and port of the public Service: the frontend's first replica."""

    @property
    def visitor(self) -> Visitor:
        return Visitor(f"https://127.0.0.1:{self.gateway.ports['websecure']}")

    @property
    def inside(self) -> Visitor:
        """Whoever comes by the entry point for public services."""
        return Visitor(f"http://127.0.0.1:{self.gateway.ports['internal']}")


@pytest.fixture(scope="module")
def musicshare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MusicShare]:
    stack = load(REPOSITORY / "compose" / "stack.yaml", {}).stack
    contents = read_bind_files(stack, REPOSITORY / "compose")
    assert list(kubernetes.problems(stack, contents)) == []
    objects = kubernetes.objects(stack, contents)
    _refill_by_the_hour(objects, LIMITED)
    folder = tmp_path_factory.mktemp("gateway")
    authority = trustme.CA()
    api = Api([*objects, _certificate(authority)])
    with Background() as background:
        ports = {name: free_port() for name in PORTS}
        url = f"http://127.0.0.1:{background.serve(api.application())}"
        gateway = Gateway(objects, folder, url, ports)
        pods = Pods(api, background, objects)
        found = [o for o in objects if o["kind"] == "Deployment"]
        for deployment in found:
            name = deployment["metadata"]["name"]
            if name not in ("traefik-gateway", "metadata-service"):
                pods.start(deployment, REPLICAS, **_local(name, ports["internal"]))
        try:
            gateway.start()
            rules = [o["spec"]["routes"] for o in objects if o["kind"] == "IngressRoute"]
            gateway.await_routers(sum(map(len, rules)))
            front = f"{address(0)}:{pods.ports['frontend'][0]}"
            yield MusicShare(objects, api, background, pods, gateway, authority, front)
        finally:
            gateway.stop()


def _refill_by_the_hour(objects: list[dict[str, Any]], service: str) -> None:
    """However slowly this machine asks, what a client may ask of the service at once is used up."""
    for found in objects:
        its = found["metadata"]["labels"]["app.kubernetes.io/name"] == service
        if found["kind"] == "Middleware" and its and "rateLimit" in found["spec"]:
            found["spec"]["rateLimit"]["period"] = "1h"


def _local(name: str, internal: int) -> dict[str, str]:
    """Where the frontend finds the gateway on this machine."""
    return {"GATEWAY_URL": f"http://127.0.0.1:{internal}"} if name == "frontend" else {}


def _certificate(authority: trustme.CA) -> dict[str, Any]:
    """What cert-manager would make of the rendered Certificate."""
    issued = authority.issue_cert("traefik-gateway.musicshare.svc", "127.0.0.1")
    chain = b"".join(part.bytes() for part in issued.cert_chain_pems)
    data = {"tls.crt": chain, "tls.key": issued.private_key_pem.bytes()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "traefik-gateway-tls", "namespace": "musicshare"},
        "type": "kubernetes.io/tls",
        "data": {key: b64encode(value).decode() for key, value in data.items()},
    }


@pytest.mark.parametrize(
    ("path", "service", "arrives_as"), [route for route in ROUTES if route[0] not in LED_BACK]
)
def test_route(musicshare: MusicShare, path: str, service: str, arrives_as: str) -> None:
    """Each path is led to the service that it has with Compose, the same prefix taken off."""
    echo = musicshare.visitor.echo(path)
    assert (echo["service"], echo["path"]) == (service, arrives_as)
    assert echo["headers"]["X-Forwarded-Proto"] == "https"


@pytest.mark.parametrize(
    ("path", "service", "arrives_as"),
    [route for route in ROUTES if route[0].startswith(PASSED_ON) and route[0] not in LED_BACK],
)
def test_route_by_the_public_load_balancer(
    musicshare: MusicShare, path: str, service: str, arrives_as: str
) -> None:
    """Who comes by the frontend's LoadBalancer gets to the same services: the frontend passes /api
    and /ws on, and answers the rest itself."""
    echo = Visitor(f"http://{musicshare.front}").echo(path)
    assert (echo["service"], echo["path"]) == (service, arrives_as)


@pytest.mark.parametrize("path", LED_BACK)
def test_what_no_route_takes_does_not_go_round(musicshare: MusicShare, path: str) -> None:
    """The catch-all route leads back to the frontend, which notices."""
    for visitor in (Visitor(f"http://{musicshare.front}"), musicshare.visitor):
        assert visitor.get(path).status_code == 404


def test_nothing_is_wrong_for_traefik(musicshare: MusicShare) -> None:
    """Traefik takes every router, service and middleware, and logs no error."""
    for kind in ("routers", "services", "middlewares"):
        for found in musicshare.gateway.api(f"http/{kind}"):
            assert found["status"] == "enabled", found
    lines = musicshare.gateway.log.read_text().splitlines()
    assert [line for line in lines if " ERR " in line] == []


def test_another_traefik_of_the_cluster_leads_nobody_in(
    musicshare: MusicShare, tmp_path: Path
) -> None:
    """One that reads this namespace too, as that of k3s does, takes none of the routes."""
    ports = {name: free_port() for name in PORTS}
    other = Gateway(musicshare.objects, tmp_path, musicshare.gateway.endpoint, ports)
    del other.static["providers"]["kubernetesCRD"]["ingressClass"]
    try:
        other.start()
        # What it reads comes at once; middlewares have no class.
        until(lambda: other.crds("middlewares"), 20, "it has read the namespace")
        assert other.crds("routers") == []
    finally:
        other.stop()


def test_a_gateway_is_ready_when_it_has_read_its_routes(
    musicshare: MusicShare, tmp_path: Path
) -> None:
    """Not before, though it answers at /ping: else it would answer 404 to everybody."""
    (gateway,) = [
        o for o in musicshare.objects
        if (o["kind"], o["metadata"]["name"]) == ("Deployment", "traefik-gateway")
    ]  # fmt: skip
    (container,) = gateway["spec"]["template"]["spec"]["containers"]
    asked = container["readinessProbe"]["httpGet"]
    port, path = asked["port"], asked["path"]
    assert musicshare.gateway.status(port, path) == 200
    nobody = f"http://127.0.0.1:{free_port()}"
    blind = Gateway(musicshare.objects, tmp_path, nobody, {name: free_port() for name in PORTS})
    try:
        blind.start()
        until(lambda: blind.status("traefik", "/ping") == 200, 20, "it answers")
        assert blind.status(port, path) == 404
    finally:
        blind.stop()
    lines = musicshare.gateway.log.read_text().splitlines()
    assert not [line for line in lines if f'"RequestPath":"{path}"' in line]


def test_http_is_redirected(musicshare: MusicShare) -> None:
    """HTTP is redirected to HTTPS, path and query kept."""
    plain = Visitor(f"http://127.0.0.1:{musicshare.gateway.ports['web']}")
    answer = plain.get("/api/users/me?a=1")
    assert answer.status_code in (301, 308)
    assert answer.headers["Location"] == "https://127.0.0.1/api/users/me?a=1"


def test_the_certificate_is_the_issued_one(musicshare: MusicShare) -> None:
    """Traefik shows the Secret that cert-manager fills, to everybody."""
    context = ssl.create_default_context()
    musicshare.authority.configure_trust(context)
    url = f"https://127.0.0.1:{musicshare.gateway.ports['websecure']}/upload"
    assert httpx.get(url, verify=context, trust_env=False).status_code == 200


@pytest.mark.parametrize("port", ["websecure", "front"])
def test_websocket(musicshare: MusicShare, port: str) -> None:
    """A WebSocket on /ws reaches notificationservice, by the gateway and by the frontend."""
    anyone: ssl.SSLContext | None = None
    url = f"ws://{musicshare.front}/ws"
    if port == "websecure":
        anyone = ssl.create_default_context()
        anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
        url = f"wss://127.0.0.1:{musicshare.gateway.ports[port]}/ws"
    with connect(url, ssl=anyone, open_timeout=10, proxy=None) as socket:
        assert json.loads(socket.recv(timeout=10))["service"] == "notificationservice"
        socket.send("a new song")
        assert socket.recv(timeout=10) == "a new song"


@pytest.mark.parametrize(("service", "path"), BALANCED.items())
def test_balanced_and_sticky(musicshare: MusicShare, service: str, path: str) -> None:
    """Strangers are spread over both replicas; the service's cookie keeps a client with one."""
    assert sorted(musicshare.visitor.replicas(f"{path}/x", 6).values()) == [3, 3]
    with musicshare.visitor.session() as client:
        visits: list[dict[str, Any]] = [client.get(f"{path}/session").json() for _ in range(6)]
        assert f"{service}_session" in client.cookies
    assert [visit["count"] for visit in visits] == [1, 2, 3, 4, 5, 6]


def test_headers(musicshare: MusicShare) -> None:
    """Answers carry the same security headers as with Compose, and no server's name."""
    headers = musicshare.visitor.get("/upload").headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert "Server" not in headers


def _statuses(visitor: Visitor, path: str, requests: int, client: str) -> Counter[int]:
    with visitor.session() as session:
        headers = {"X-Forwarded-For": client}
        return Counter(session.get(path, headers=headers).status_code for _ in range(requests))


def test_rate_limit_by_client(musicshare: MusicShare) -> None:
    """The limit is each client's own, where public services tell their address: one that uses it
    up takes nothing from another; from outside nobody can name another address."""
    path = f"/{LIMITED}/limited"
    greedy = _statuses(musicshare.inside, path, 250, "192.0.2.1")
    assert greedy[429] > 0
    assert _statuses(musicshare.inside, path, 20, "192.0.2.2") == {200: 20}
    one = _statuses(musicshare.visitor, path, 250, "192.0.2.3")
    assert one[429] > 0
    assert _statuses(musicshare.visitor, path, 20, "192.0.2.4") == {429: 20}


def test_a_replica_that_is_not_ready_gets_nothing(musicshare: MusicShare) -> None:
    """Readiness is what takes a replica out of the gateway, and lets it in again."""
    name, path = "social-service", "/api/social/x"
    port = musicshare.pods.ports[name][0]
    musicshare.pods.ready(name, 0, port, ready=False)
    until(lambda: len(musicshare.visitor.replicas(path, 4)) == 1, 30, "one replica serves")
    musicshare.pods.ready(name, 0, port, ready=True)
    until(lambda: len(musicshare.visitor.replicas(path, 4)) == 2, 30, "both replicas serve")


def test_metrics_have_the_names_that_are_asked_for(musicshare: MusicShare) -> None:
    """KEDA's queries find the service as Traefik calls it, by whichever entry point."""
    for visitor in (musicshare.visitor, musicshare.inside):
        visitor.get("/api/users/me")
    url = f"http://127.0.0.1:{musicshare.gateway.ports['traefik']}/metrics"
    text = httpx.get(url, trust_env=False).text
    found = set(re.findall(r'traefik_service_requests_total\{.*service="([^"]+)"', text))
    wanted = re.compile(traefik_names("musicshare", "userservice"))
    assert len([name for name in found if wanted.fullmatch(name)]) == 2


def test_traefik_asks_for_nothing_that_its_role_forbids(musicshare: MusicShare) -> None:
    """Whatever it lists or watches is of its own namespace, and in the rendered Role."""
    (role,) = [o for o in musicshare.objects if o["kind"] == "Role"]
    allowed = {name for rule in role["rules"] for name in rule["resources"]}
    for path in musicshare.api.asked:
        assert "/namespaces/musicshare/" in path
        assert Path(path).name in allowed
