"""What msctl makes of MusicShare on the engine, and that Docker Compose takes it for its own."""

from __future__ import annotations

import json
import stat

import pytest

from musicshare.conftest import MusicShare

pytestmark = pytest.mark.engine

MB = 1024 * 1024
LIMITS = [
    ("userservice", 0.5, 512, 256),
    ("music-service", 0.75, 768, 512),
    ("social-service", 0.75, 1024, 512),
    ("notificationservice", 0.5, 512, 256),
]
REPLICAS = {
    "userservice": 2, "music-service": 2, "social-service": 2, "notificationservice": 2,
    "nextjs": 1, "formulario-post": 1, "frontend": 1, "metadata-service": 1,
    "postgres": 1, "rabbitmq": 1, "prometheus": 1, "traefik": 1,
    "socket-proxy": 1,
}  # fmt: skip
OPTIONAL = {"mongo", "grafana"}


def test_replicas(musicshare: MusicShare) -> None:
    """Every service of the seed's table has its replicas; mongo and grafana may be left out."""
    counts = {name: len(musicshare.ids(name)) for name in musicshare.made()}
    assert {name: n for name, n in counts.items() if name not in OPTIONAL} == REPLICAS


def test_status(musicshare: MusicShare) -> None:
    """`status` calls the stack healthy, each replica both healthy and routed where it has routes,
    and leaves out only what is optional."""
    status = json.loads(musicshare.ok("status", "--json").out)
    assert status["healthy"]
    assert status["gateway"]["url"] == f"https://localhost:{musicshare.https}"
    for service in status["services"]:
        assert service["healthy"] == service["running"] == service["desired"], service
        assert service["routed"] in (None, service["desired"]), service
    left_out = {p["service"] for p in status["problems"] if p["kind"] == "left_out"}
    assert left_out == OPTIONAL - set(musicshare.made())


def test_doctor(musicshare: MusicShare) -> None:
    """`doctor` finds nothing wrong, and tells that the ports are the stack's own."""
    result = musicshare.ok("doctor")
    assert f"127.0.0.1:{musicshare.dashboard}" in result.out
    assert f"no other msctl works on {musicshare.project}" in result.out


@pytest.mark.parametrize(("service", "cpus", "memory", "reserved"), LIMITS)
def test_limits(
    musicshare: MusicShare, service: str, cpus: float, memory: int, reserved: int
) -> None:
    """Each replica has the seed's limits, memory reservation and restart policy."""
    for name in musicshare.ids(service):
        host = musicshare.inspect(name)["HostConfig"]
        assert host["NanoCpus"] == cpus * 1e9
        assert (host["Memory"], host["MemoryReservation"]) == (memory * MB, reserved * MB)
        assert host["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 3}


def test_published_ports(musicshare: MusicShare) -> None:
    """Only the gateway and Prometheus publish ports; all but HTTP and HTTPS on loopback alone."""
    published = {
        (row["Labels"]["com.docker.compose.service"], port["PrivatePort"], port["IP"])
        for row in musicshare.rows()
        for port in row["Ports"]
        if "PublicPort" in port
    }
    services = {service for service, _, _ in published} - OPTIONAL
    assert services == {"traefik", "prometheus"}
    for service, port, address in published:
        public = service == "traefik" and port in (80, 443)
        assert public or address == "127.0.0.1", (service, port, address)


def test_secrets(musicshare: MusicShare) -> None:
    """Secrets are files beside the stack file, in a folder for the user alone, and are nowhere in
    a container's environment."""
    folder = musicshare.folder / "compose" / ".msctl" / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    secret = (folder / "postgres-password").read_text().strip()
    assert len(secret) >= 16
    assert not any(secret in json.dumps(musicshare.inspect(name)) for name in musicshare.ids())


def test_docker_compose_lists(musicshare: MusicShare) -> None:
    """The real `docker compose ps` on the committed file lists exactly what msctl made."""
    file = ("-f", "compose/docker-compose.yml", "-p", musicshare.project)
    out = musicshare.compose(*file, "ps", "--all", "--format", "{{.Name}}").out
    assert set(out.split()) == set(musicshare.ids())


def test_docker_compose_changes_nothing(musicshare: MusicShare) -> None:
    """`docker compose up -d` on the rendered file finds everything as it should be."""
    before = musicshare.ids()
    musicshare.ok("render", "compose", "-o", "compose/rendered.yml")
    file = ("-f", "compose/rendered.yml", "-p", musicshare.project)
    result = musicshare.compose(
        *file, "up", "-d", "--no-build", "--no-deps", "--pull", "never", *musicshare.made()
    )
    assert musicshare.ids() == before
    assert "Recreate" not in result.err
    logs = musicshare.compose(*file, "logs", "--no-color", "--tail", "3", "userservice").out
    assert "userservice-1" in logs
