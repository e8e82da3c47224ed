"""What becomes of a service's keys, and of what stands beside the services, at an import."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from taking import loaded, taken, told

import msctl
from msctl.importing import Made

COMPOSE = Path(msctl.__file__).parent.parent / "compose"


def test_names_that_the_stack_file_does_not_take_lead_there_still() -> None:
    """Reserved and upper-case names change; the old one stays a name in the networks."""
    text = """\
services:
  DB: {image: postgres}
  autoscaler: {image: a, depends_on: [DB], build: {context: ., target: prod}}
"""
    found = taken(text)
    assert list(found.data["services"]) == ["db", "autoscaler-service"]
    service = found.data["services"]["autoscaler-service"]
    assert service["needs"] == ["db"]
    assert service["x-compose"] == {
        "build": {"target": "prod"},
        "networks": {"default": {"aliases": ["autoscaler"]}},
    }
    assert loaded(found).services["db"].image == "postgres"


def test_what_has_no_place_is_told_with_its_line() -> None:
    """Each key once, where it stands."""
    text = """\
include: [other.yml]
services:
  a:
    image: i
    network_mode: host
    external_links: [b]
    ipc: service:b
    deploy: {update_config: {order: start-first, delay: 1s}, replicas: 12, placement: {}}
  b: {extends: {file: x.yml, service: b}}
  c: {image: i, configs: [far], volumes_from: ["container:d"], network_mode: "service:a"}
configs: {far: {external: true}}
"""
    found = taken(text)
    assert told(found).splitlines() == [
        "f:1: include: not carried: other.yml: no such file or directory",
        "f:5: services.a.network_mode: not carried: it is in the stack's networks, not the host's; "
        "`ports` publishes what it listens on",
        "f:6: services.a.external_links: not carried: only services of the stack are reached by a "
        "name",
        "f:7: services.a.ipc: not carried: another container's cannot be shared",
        "f:8: services.a.deploy.update_config.delay: not carried",
        "f:8: services.a.deploy.placement: not carried: it is Swarm's",
        "f:9: services.b.extends: not carried: x.yml: no such file or directory",
        "f:9: services.b: not carried: it has neither image nor build",
        "f:10: services.c.configs[0]: not carried: far is not a file",
        "f:10: services.c.network_mode: not carried: it is in the stack's networks, with an "
        "address of its own; a by its name",
        "f:10: services.c.volumes_from[0]: not carried: container is no service of this file",
    ]
    service = loaded(found).services["a"]
    assert (service.replicas.max, service.rollout.order) == (12, "start-first")


def test_the_socket_of_a_rootless_engine_is_carried() -> None:
    """Also as a variable; where it is as a rule, nothing is said of it."""

    def socket(mount: str) -> Any:
        text = f"""
services:
  traefik: {{image: "traefik:v3.7", volumes: ["{mount}"]}}
  web: {{image: a, labels: {{traefik.http.routers.w.rule: PathPrefix(`/`)}}}}
"""
        found = taken(text)
        assert not [note for note in found.notes if "mounts" in note.message]
        return found.data["gateway"].get("socket")

    assert socket("/run/user/1000/docker.sock:/var/run/docker.sock:ro") == (
        "/run/user/1000/docker.sock"
    )
    assert socket("${RUN:-/run/user/1}/docker.sock:/run/docker.sock") == (
        "${RUN:-/run/user/1}/docker.sock"
    )
    assert socket("/var/run/docker.sock:/var/run/docker.sock:ro") is None


def test_links_are_needs_and_names() -> None:
    """What is linked starts first, and is reached by its other name too; a name that stands for
    two services is told."""
    text = """\
services:
  web: {image: i, links: [db, "cache:redis", "one:same"]}
  old: {image: i, links: ["two:same"], depends_on: [web]}
  db: {image: i}
  cache: {image: i}
  one: {image: i}
  two: {image: i}
"""
    found = taken(text)
    assert told(found).splitlines() == [
        "f:2: services.web.links[2]: not carried: same is the name of another service, too",
        "f:3: services.old.links[0]: not carried: same is the name of another service, too",
    ]
    stack = loaded(found)
    assert stack.services["web"].needs == ("db", "cache", "one")
    assert stack.services["old"].needs == ("two", "web")
    aliases = {"networks": {"default": {"aliases": ["redis"]}}}
    assert stack.services["cache"].passthrough == aliases


def test_mounts_of_others_are_written_out() -> None:
    """`volumes_from`, through several services, read-only where it says so; a service's own mount
    wins, and what has no name cannot be shared."""
    text = """\
services:
  a: {image: i, volumes: ["data:/data", "./conf:/conf:rw", "/scratch", "./log:/log:z"]}
  b: {image: i, volumes_from: ["a:ro"], volumes: ["mine:/conf"]}
  c: {image: i, volumes_from: [b, "a:rw"]}
volumes: {data: , mine: }
"""
    found = taken(text)
    services = found.data["services"]
    assert services["b"]["volumes"] == ["mine:/conf", "data:/data:ro", "./log:/log:z,ro"]
    assert services["c"]["volumes"] == ["mine:/conf", "data:/data:ro", "./log:/log:z,ro"]
    assert (services["b"]["needs"], services["c"]["needs"]) == (["a"], ["b", "a"])
    assert "stateful" in services["c"]
    assert "f:3: services.b.volumes_from[0]: not carried: a's /scratch has no name" in told(found)
    assert loaded(found).services["b"].needs == ("a",)


def test_what_stands_in_the_file_or_a_variable_becomes_a_file() -> None:
    """Configs beside the stack file, secrets where msctl has its own; a variable without a value
    is told."""
    text = """\
services:
  web:
    image: i
    configs: [{source: site, target: /etc/site.conf}, motd]
    secrets: [token, {source: token, target: other}, gone]
configs:
  site: {content: "port=$$1 ${PORT}\\n"}
  motd: {environment: MOTD}
secrets:
  token: {environment: TOKEN}
  gone: {environment: NOT_SET}
"""
    environ = {"PORT": "80", "MOTD": "hello", "TOKEN": "$ecret"}
    found = taken(text, environ)
    assert found.data["services"]["web"]["volumes"] == [
        "./configs/site:/etc/site.conf:ro",
        "./configs/motd:/motd:ro",
        "./.msctl/secrets/token:/run/secrets/token:ro",
        "./.msctl/secrets/token:/run/secrets/other:ro",
    ]
    assert found.files == {
        "./configs/site": Made("port=$1 80\n", False),
        "./configs/motd": Made("hello", False),
        "./.msctl/secrets/token": Made("$ecret", True),
    }
    assert "gone is the variable NOT_SET, which is not set" in told(found)
    assert "$ecret" not in found.text("f") + told(found)
    loaded(found, environ)


def test_when_it_is_started_again() -> None:
    """`deploy.restart_policy` counts before `restart`, as for Docker Compose."""
    policy = "deploy: {restart_policy: {condition: on-failure, max_attempts: 3, delay: 5s}}"
    for order in (f"restart: always, {policy}", f"{policy}, restart: always"):
        found = taken(f"services: {{a: {{image: i, {order}}}}}")
        assert found.data["services"]["a"]["restart"] == "on-failure:3"
        assert "services.a.restart: not carried: deploy.restart_policy counts" in told(found)
        assert "restart_policy.delay: not carried: it is Swarm's" in told(found)


@pytest.mark.parametrize(
    ("ports", "url"),
    [
        (["127.0.0.1:19090:9090"], "http://127.0.0.1:19090"),
        (["8080:80", "${PORT:-9091}:9090"], "http://127.0.0.1:9091"),
        (["10.0.0.1:9090:9090/tcp"], "http://10.0.0.1:9090"),
        (["9090:9090"], None),
        (["9090"], None),
        (["19090:9090/udp"], None),
        ([], None),
    ],
)
def test_the_files_prometheus_is_the_one_that_msctl_asks(ports: list[str], url: str | None) -> None:
    """Where it is published, unless msctl looks there anyway."""
    prometheus = {"image": "prom/prometheus:v3", "ports": ports}
    found = taken(yaml.safe_dump({"services": {"p": prometheus, "web": {"image": "w"}}}))
    assert found.data.get("metrics") == (url and {"prometheus": url})
    assert loaded(found).metrics.prometheus == url or url is None
