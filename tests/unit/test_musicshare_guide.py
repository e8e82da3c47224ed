"""compose/stack.yaml has each row of the tables of MusicShare's guide."""

from __future__ import annotations

import pytest
from samplestack import read, rendered, service

ROUTES = [
    # service, public route, port, prefix stripped, replicas
    ("userservice", "/api/users", 8002, True, 2),
    ("music-service", "/api/music", 8081, True, 2),
    ("social-service", "/api/social", 8083, True, 2),
    ("social-service", "/swagger-ui", 8083, False, 2),
    ("social-service", "/v3/api-docs", 8083, False, 2),
    ("notificationservice", "/api/notifications", 8082, True, 2),
    ("notificationservice", "/ws", 8082, False, 2),
    ("nextjs", "/upload", 3000, False, 1),
    ("formulario-post", "/formulario-post", 80, True, 1),
    ("frontend", "/", 80, False, 1),
]
RESOURCES = [
    # service, CPU reserved, CPU limit, memory reserved, memory limit
    ("userservice", "0.25", "0.5", "256M", "512M"),
    ("music-service", "0.5", "0.75", "512M", "768M"),
    ("social-service", "0.5", "0.75", "512M", "1G"),
    ("notificationservice", "0.25", "0.5", "256M", "512M"),
]
BACKENDS = [row[0] for row in RESOURCES]


@pytest.mark.parametrize(("name", "route", "port", "strip", "replicas"), ROUTES)
def test_a_row_of_the_guides_table_of_services(
    name: str, route: str, port: int, strip: bool, replicas: int
) -> None:
    """The route leads over HTTPS to that port, with the prefix or without, to so many replicas."""
    labels = service(name)["labels"]
    rules = {key: value for key, value in labels.items() if key.endswith(".rule")}
    [router] = [
        key.split(".")[3] for key, rule in rules.items() if rule == f"PathPrefix(`{route}`)"
    ]
    prefix = f"traefik.http.routers.{router}"
    assert labels[f"{prefix}.entrypoints"] == "websecure"
    assert labels[f"{prefix}.tls"] == "true"
    assert labels[f"{prefix}.service"] == name
    assert labels[f"traefik.http.services.{name}.loadbalancer.server.port"] == str(port)
    stripped = f"traefik.http.middlewares.{router}-stripprefix.stripprefix.prefixes"
    assert labels.get(stripped) == (route if strip else None)
    guards = [f"{name}-headers", f"{name}-ratelimit"]
    middlewares = guards + [f"{router}-stripprefix"] * strip + [f"{name}-retry"]
    assert labels[f"{prefix}.middlewares"].split(",") == middlewares
    assert service(name).get("deploy", {}).get("replicas", 1) == replicas
    assert service(name)["environment"]["PORT"] == str(port)
    assert "container_name" not in service(name)


def test_no_other_route_is_published() -> None:
    """What the guide's table does not name stays inside; metadata-service in particular."""
    found = [
        (name, value)
        for name, entry in rendered()["services"].items()
        for key, value in entry.get("labels", {}).items()
        if key.endswith(".rule")
    ]
    assert found == [(row[0], f"PathPrefix(`{row[1]}`)") for row in ROUTES]
    assert "labels" not in service("metadata-service")


@pytest.mark.parametrize(("name", "reserved", "limit", "memory_reserved", "memory"), RESOURCES)
def test_a_row_of_the_guides_table_of_limits(
    name: str, reserved: str, limit: str, memory_reserved: str, memory: str
) -> None:
    """Each replica has the guide's limits and reservations; 1024 MB are a gigabyte."""
    assert service(name)["deploy"]["resources"] == {
        "limits": {"cpus": limit, "memory": memory, "pids": 2048},
        "reservations": {"cpus": reserved, "memory": memory_reserved},
    }


@pytest.mark.parametrize("name", BACKENDS)
def test_a_backend_is_as_the_guide_configures_it(name: str) -> None:
    """Sticky by its own cookie, checked every 10 s, restarted three times, 1 to 10 replicas."""
    prefix = f"traefik.http.services.{name}.loadbalancer"
    labels = service(name)["labels"]
    assert labels[f"{prefix}.sticky.cookie"] == "true"
    assert labels[f"{prefix}.sticky.cookie.name"] == f"{name}_session"
    assert labels[f"{prefix}.healthcheck.path"] == "/health"
    assert labels[f"{prefix}.healthcheck.interval"] == "10s"
    assert service(name)["healthcheck"]["interval"] == "10s"
    assert service(name)["restart"] == "on-failure:3"
    replicas = read().services[name].replicas
    assert (replicas.min, replicas.max) == (1, 10)


def test_the_frontend_takes_what_is_left() -> None:
    """Its priority is below that of every other route."""
    priorities = {
        key.split(".")[3]: int(value)
        for entry in rendered()["services"].values()
        for key, value in entry.get("labels", {}).items()
        if key.endswith(".priority")
    }
    assert priorities.pop("frontend") == 1
    assert min(priorities.values()) > 1
