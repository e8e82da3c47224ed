"""compose/stack.yaml is MusicShare as its guide has it; docker-compose.yml is rendered from it."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from samplestack import FOLDER, STACK_FILE, read, rendered, service

from msctl.config import load
from msctl.render.canonical import canonical
from msctl.render.canonical.confighash import config_hash
from msctl.render.compose import compose_file, document

COMPOSE_FILE = FOLDER / "docker-compose.yml"
DATABASES = ["postgres", "mongo", "rabbitmq"]


def run(*command: str | Path) -> str:
    """What a program of the test extras prints; it has to succeed."""
    binary = Path(sys.executable).with_name(str(command[0]))
    assert binary.exists(), f"{binary} is missing: install the test extras"
    env = {"PATH": "/usr/bin:/bin", "HOME": "/home/op"}
    ran = subprocess.run(
        [binary, *command[1:]], capture_output=True, text=True, env=env, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_the_committed_compose_file_is_the_rendered_stack() -> None:
    """Whoever changes stack.yaml renders it anew: msctl -f compose/stack.yaml render."""
    text = compose_file(read(keep_variables=True), source="stack.yaml")
    assert COMPOSE_FILE.read_text(encoding="utf-8") == text


def test_docker_compose_accepts_the_committed_file() -> None:
    """The real binary reads it without a word."""
    assert run("docker-compose", "-f", COMPOSE_FILE, "config", "-q") == ""


def test_the_compose_specification_allows_the_committed_file() -> None:
    """Its JSON Schema finds nothing."""
    run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE_FILE)


def test_docker_compose_sees_the_services_that_msctl_makes() -> None:
    """The hashes of the committed file are those of the resolved stack: nothing is recreated."""
    printed = run("docker-compose", "-f", COMPOSE_FILE, "config", "--hash", "*")
    normal = canonical(rendered(), working_dir=str(FOLDER), project="musicshare", home="/home/op")
    assert dict(line.split() for line in printed.splitlines()) == {
        name: config_hash(found) for name, found in normal["services"].items()
    }


@pytest.mark.parametrize(
    ("name", "networks"),
    [
        ("traefik", ["backend_net", "socket-proxy"]),
        ("socket-proxy", ["socket-proxy"]),
        ("userservice", ["backend_net", "postgres_net"]),
        ("music-service", ["backend_net", "mongo_net", "metadata_net"]),
        ("social-service", ["backend_net", "postgres_net"]),
        ("notificationservice", ["backend_net", "rabbitmq_net"]),
        ("nextjs", ["backend_net"]),
        ("formulario-post", ["backend_net"]),
        ("frontend", ["backend_net"]),
        ("metadata-service", ["metadata_net"]),
        ("postgres", ["postgres_net"]),
        ("mongo", ["mongo_net"]),
        ("rabbitmq", ["rabbitmq_net"]),
        ("prometheus", ["backend_net"]),
        ("grafana", ["backend_net"]),
    ],
)
def test_a_service_joins_only_the_networks_it_needs(name: str, networks: list[str]) -> None:
    """A database is out of reach of whoever does not use it, and of the gateway."""
    assert service(name)["networks"] == networks


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("userservice", {"postgres": True}),
        ("music-service", {"mongo": False, "metadata-service": True}),
        ("social-service", {"postgres": True}),
        ("notificationservice", {"rabbitmq": True}),
        ("grafana", {"prometheus": True}),
    ],
)
def test_a_service_waits_for_what_it_needs(name: str, needs: dict[str, bool]) -> None:
    """All of it has a health check; what may be left out is not required."""
    found = service(name)["depends_on"]
    assert {need: entry.get("required", True) for need, entry in found.items()} == needs
    assert {entry["condition"] for entry in found.values()} == {"service_healthy"}


@pytest.mark.parametrize("name", DATABASES)
def test_a_database_is_out_of_the_gateways_reach(name: str) -> None:
    """What comes in from outside meets no database: its networks are those of its users alone,
    and none of its ports is published."""
    database = service(name)
    assert not set(database["networks"]) & set(service("traefik")["networks"])
    assert "ports" not in database
    users = {
        user
        for user, found in rendered()["services"].items()
        if set(found["networks"]) & set(database["networks"])
    }
    assert users - {name} == {
        user
        for user, found in rendered()["services"].items()
        if name in found.get("depends_on", {})
    }


def test_only_the_gateway_and_the_dashboards_are_published() -> None:
    """Databases are not; what has no password is on this machine alone."""
    published = {
        name: entry["ports"] for name, entry in rendered()["services"].items() if "ports" in entry
    }
    assert published == {
        "traefik": ["80:80", "443:443", "127.0.0.1:8080:8080", "127.0.0.1::8081"],
        "prometheus": ["127.0.0.1:9090:9090"],
        "grafana": ["127.0.0.1:3010:3000"],
    }


def test_ports_can_be_moved() -> None:
    """The published ports come from the environment, the redirect among them."""
    moved = {"HTTP_PORT": "8000", "HTTPS_PORT": "8443", "DASHBOARD_PORT": "8001"}
    gateway = document(load(STACK_FILE, moved).stack)["services"]["traefik"]
    assert gateway["ports"][:3] == ["8000:80", "8443:443", "127.0.0.1:8001:8080"]
    assert "--entrypoints.web.http.redirections.entrypoint.to=:8443" in gateway["command"]


def test_the_gateway_has_the_guides_name() -> None:
    """`docker logs musicshare_traefik` works."""
    assert service("traefik")["container_name"] == "musicshare_traefik"


def test_uploads_are_shared_by_the_replicas() -> None:
    """Whichever replica stored a file, all can read it."""
    assert service("music-service")["volumes"] == ["uploads:/app/uploads"]
    assert "uploads" in rendered()["volumes"]


def test_passwords_are_files_and_nowhere_in_the_text() -> None:
    """Who uses a database reads the password that the database was made with."""
    for name in ("postgres", "userservice", "social-service"):
        assert service(name)["secrets"] == ["postgres-password"]
    assert service("notificationservice")["secrets"] == ["rabbitmq-password"]
    assert service("rabbitmq")["secrets"] == [
        {
            "source": "rabbitmq.rabbitmq-password",
            "target": "/etc/rabbitmq/conf.d/20-user.conf",
        }
    ]
    for entry in rendered()["services"].values():
        for key, value in entry.get("environment", {}).items():
            assert "PASSWORD" not in key or value.startswith("/run/secrets/")


def test_passwords_of_databases_can_be_rotated() -> None:
    """Each says how it takes a new one, and no command line has it."""
    commands = {"postgres": "ALTER USER", "rabbitmq": "change_password", "grafana": "from-stdin"}
    for name, word in commands.items():
        [secret] = read().services[name].secrets
        assert word in secret.rotate[-1]
        assert '"$MSCTL_SECRET_FILE"' in secret.rotate[-1]


def test_databases_and_monitoring_are_never_scaled() -> None:
    """They are stateful, and keep what they know in a volume."""
    stack = read()
    for name in (*DATABASES, "prometheus", "grafana"):
        assert stack.services[name].stateful
        assert [mount for mount in service(name)["volumes"] if mount.startswith(f"{name}-data:")]


def test_only_what_cannot_be_built_may_be_left_out() -> None:
    """mongo and grafana have no build here; everything else is had anywhere."""
    services = read().services
    assert {name for name, found in services.items() if found.optional} == {"mongo", "grafana"}
    assert {name for name, found in services.items() if not found.build} == {"mongo", "grafana"}
    for entry in rendered()["services"].values():
        build = entry.get("build")
        assert not isinstance(build, str) or (FOLDER / build / "Dockerfile").is_file()


def test_every_mounted_path_is_there() -> None:
    """The engine would make an empty folder of a path that is not."""
    mounts = [m for entry in rendered()["services"].values() for m in entry.get("volumes", ())]
    for path in (mount.split(":")[0] for mount in mounts if mount.startswith(".")):
        assert (FOLDER / path).exists(), path


def test_the_bounds_of_autoscaling() -> None:
    """They are the guide's, on the four services that it scales."""
    found = {name: one.autoscale for name, one in read().services.items() if one.autoscale}
    assert {name: (one.min, one.max) for name, one in found.items()} == {
        "userservice": (2, 6),
        "music-service": (2, 6),
        "social-service": (2, 5),
        "notificationservice": (2, 6),
    }
    assert {(one.cpu, one.latency_p95) for one in found.values()} == {
        (70.0, timedelta(milliseconds=500))
    }


def test_autoscaling_leaves_the_compose_file_alone() -> None:
    """It concerns msctl; what the engine gets is the same with and without it."""
    stack = read(keep_variables=True)
    without = {name: s.replaced(autoscale=None) for name, s in stack.services.items()}
    plain = stack.replaced(services=without)
    assert document(stack) == document(plain)
