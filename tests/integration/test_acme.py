"""Certificates by ACME, from a server of its own: pebble, with which ACME clients are tested."""

from __future__ import annotations

import io
import json
import socket
import ssl
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import docker
import httpx
import psutil
import pytest
import trustme
from live import NewStack, Stack, free_port, service, until

pytestmark = pytest.mark.engine

HOSTS = ["shop.example.test", "traefik.example.test"]
DOCKERFILE = b"""\
FROM debian:bookworm-slim
RUN apt-get update \\
 && apt-get install -y --no-install-recommends pebble \\
 && rm -rf /var/lib/apt/lists/*
"""


@dataclass(frozen=True)
class Pebble:
    """An authority that asks our host for proof, on the engine's machine."""

    directory: str
    trust: str
    """PEM of who signed the certificate of its own API."""
    management: str
    http: int
    """Where it looks for proof."""
    https: int

    def root(self) -> str:
        """Who signs what it gives out; another one each time it starts."""
        trusted = ssl.create_default_context(cadata=self.trust)
        return httpx.get(f"{self.management}/roots/0", verify=trusted, trust_env=False).text


@pytest.fixture
def pebble(engine: docker.DockerClient, images: None) -> Iterator[Pebble]:  # noqa: ARG001
    # An engine that found its bridge there at its start does not tell the address itself.
    name = engine.networks.get("bridge").attrs["Options"]["com.docker.network.bridge.name"]
    bridge = next(a.address for a in psutil.net_if_addrs()[name] if a.family == socket.AF_INET)
    authority, api, management, http, https = trustme.CA(), *(free_port() for _ in range(4))
    own = authority.issue_cert(bridge, "127.0.0.1")
    config = {
        "listenAddress": f"0.0.0.0:{api}",
        "managementListenAddress": f"127.0.0.1:{management}",
        "certificate": "/cert.pem",
        "privateKey": "/key.pem",
        "httpPort": http,
        "tlsPort": https,
    }
    files = {
        "config.json": json.dumps({"pebble": config}).encode(),
        "cert.pem": own.cert_chain_pems[0].bytes(),
        "key.pem": own.private_key_pem.bytes(),
    }
    image, _ = engine.images.build(fileobj=io.BytesIO(DOCKERFILE), tag="msctl-test/pebble", rm=True)
    container = engine.containers.create(
        image,
        ["pebble", "-config", "/config.json"],
        network_mode="host",
        environment={"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"},
        extra_hosts=dict.fromkeys(HOSTS, "127.0.0.1"),
        init=True,
    )
    try:
        container.put_archive("/", archive(files))
        container.start()
        trust = authority.cert_pem.bytes().decode()
        found = Pebble(
            f"https://{bridge}:{api}/dir", trust, f"https://127.0.0.1:{management}", http, https
        )
        until(lambda: _answers(management), 20, "pebble answers")
        yield found
    finally:
        container.remove(force=True)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def archive(files: dict[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return whole.getvalue()


def write(stack: Stack, pebble: Pebble, challenge: str) -> None:
    resolver = "--certificatesresolvers.acme.acme"
    gateway: dict[str, Any] = {
        "http": f"127.0.0.1:{pebble.http}",
        "https": f"127.0.0.1:{pebble.https}",
        "tls": {"mode": "acme", "email": "me@example.org", "challenge": challenge},
        "dashboard_host": HOSTS[1],
        "args": [
            f"{resolver}.caserver={pebble.directory}",
            f"{resolver}.cacertificates=/etc/traefik/dynamic/pebble.pem",
        ],
    }
    route = {"path": "/", "host": HOSTS[0]}
    stack.write({"web": service(routes=[route])}, gateway=gateway)


def trusting(engine: docker.DockerClient, stack: Stack, pebble: Pebble) -> None:
    """The gateway of a stack that is not up yet trusts pebble's API."""
    volume = f"{stack.project}_gateway"
    engine.volumes.create(volume)
    carrier = engine.containers.create(
        "msctl-test/pebble", volumes={volume: {"bind": "/files", "mode": "rw"}}
    )
    carrier.put_archive("/files", archive({"pebble.pem": pebble.trust.encode()}))
    carrier.remove()


def shown(pebble: Pebble, trust: ssl.SSLContext, name: str) -> dict[str, Any] | None:
    """The certificate for a host; None where it is not of a trusted authority."""
    with socket.create_connection(("127.0.0.1", pebble.https), timeout=5) as plain:
        try:
            with trust.wrap_socket(plain, server_hostname=name) as connection:
                return dict(connection.getpeercert() or {})
        except ssl.SSLCertVerificationError:
            return None


@pytest.mark.parametrize("challenge", ["http", pytest.param("tls", marks=pytest.mark.soak)])
def test_a_certificate_is_fetched_by_proof(
    engine: docker.DockerClient, stacks: NewStack, pebble: Pebble, challenge: str
) -> None:
    """One for all hosts of the stack, the dashboard's too, in spite of the redirect to HTTPS; it
    is kept in a volume, and browsers are told to come by HTTPS only."""
    stack = stacks()
    write(stack, pebble, challenge)
    trusting(engine, stack, pebble)
    stack.ok("up")
    trust = ssl.create_default_context(cadata=pebble.root())
    found = until(lambda: shown(pebble, trust, HOSTS[0]), 40, "pebble's certificate is shown")
    assert {name for _, name in found["subjectAltName"]} == set(HOSTS)
    url, there = f"https://127.0.0.1:{pebble.https}/", {"Host": HOSTS[0]}
    extensions = {"sni_hostname": HOSTS[0]}
    with httpx.Client(verify=trust, trust_env=False) as client:
        answer = client.get(url, headers=there, extensions=extensions)
    assert answer.status_code == 200
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert f"{stack.project}_gateway-acme" in stack.volumes()
    serial = found["serialNumber"]
    stack.ok("restart", "traefik")
    kept = until(lambda: shown(pebble, trust, HOSTS[0]), 20, "the certificate is there again")
    assert kept["serialNumber"] == serial
