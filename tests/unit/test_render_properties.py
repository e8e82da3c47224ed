"""What holds for the Compose document of every stack, with the real Docker Compose as the judge."""

from __future__ import annotations

import copy
import importlib.resources
import json
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from msctl.model import Stack
from msctl.render.canonical import canonical
from msctl.render.canonical.confighash import config_hash
from msctl.render.compose import compose_file, document, secret_files
from msctl.render.document import dump
from msctl.render.traefik.routers import router_names

NAMES = ("api", "db", "web-1", "job_x", "a", "0")
NETWORKS = ("front", "back", "data_net")
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
KEYS = st.text(st.sampled_from("ABCdef019_."), min_size=1, max_size=6).map("V{}".format)
PATHS = st.lists(st.sampled_from(["api", "v2", "users", "x-y", "it's"]), max_size=3).map(
    lambda words: "/" + "/".join(words)
)
DURATIONS = st.sampled_from(["10s", "1m30s", "500ms", "1h", "1.5s"])
RESTARTS = st.sampled_from(["no", "always", "unless-stopped", "on-failure", "on-failure:3"])


def optional(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keys)


HEALTH = st.one_of(
    st.fixed_dictionaries(
        {"path": PATHS},
        optional={
            "interval": DURATIONS,
            "timeout": DURATIONS,
            "retries": st.integers(1, 100),
            "start_period": DURATIONS,
            "command": st.sampled_from(["auto", "none"]),
        },
    ),
    st.just({"grpc": True}),
    st.lists(TEXTS, min_size=1, max_size=3).map(lambda words: {"command": words}),
)
MOUNT_SOURCES = st.sampled_from(["data:", "./a:", "../b:", "/c:", "~/d:", "", "more-data:"])
SECRETS = st.lists(st.sampled_from(["one", "two"]), unique=True).map(
    lambda names: [
        {"name": name, "target": f"/etc/{name}", "template": "x={secret}\n"} if index else name
        for index, name in enumerate(names)
    ]
)
SERVICE = st.fixed_dictionaries(
    {"image": st.sampled_from(["shop/api", "postgres:15"]), "port": st.integers(1, 65535)},
    optional={
        "build": st.one_of(
            st.just("./src"),
            st.fixed_dictionaries(
                {"context": st.just("./src")},
                optional={"dockerfile": st.just("D"), "args": st.dictionaries(KEYS, TEXTS)},
            ),
        ),
        "command": st.lists(TEXTS, max_size=3) | st.just("run --it 'now then'"),
        "entrypoint": st.lists(TEXTS, max_size=3),
        "env": st.dictionaries(KEYS, TEXTS | st.none(), max_size=4),
        "ports": st.lists(
            st.sampled_from(["80", "127.0.0.1::81", "9000-9002:9000-9002", "8080:82/udp"]),
            unique=True,
        ),
        "volumes": st.lists(MOUNT_SOURCES, max_size=3).map(
            lambda sources: [f"{source}/m{index}" for index, source in enumerate(sources)]
        ),
        "labels": st.dictionaries(KEYS, TEXTS, max_size=3),
        "restart": RESTARTS,
        "stop_grace": DURATIONS,
        "networks": st.lists(st.sampled_from(NETWORKS), unique=True),
        "secrets": SECRETS,
        "routes": st.lists(
            st.fixed_dictionaries(
                {"path": PATHS},
                optional={
                    "host": st.sampled_from(["a.org", "www.a.org"]),
                    "strip": st.booleans(),
                    "priority": st.integers(1, 1000),
                    "rate_limit": st.just("off") | st.integers(1, 100),
                    "ip_allow": st.just(["10.0.0.0/8", "::1"]),
                    "basic_auth": st.just(["alice"]),
                    "headers": st.booleans()
                    | st.just({"csp": "default-src 'self'; $x ${Y}", "response": {"X-A": "$"}}),
                    "retry": st.just("off") | st.integers(1, 10),
                },
            ),
            max_size=3,
        ),
        "replicas": st.integers(1, 10),
        "resources": optional(
            cpus=st.floats(0.25, 64),
            memory=st.integers(2**23, 2**40),
            reserve=optional(cpus=st.floats(0.01, 0.25), memory=st.integers(0, 2**23)),
        ),
        "health": HEALTH,
        "sticky": st.just("cookie")
        | st.just({"name": "c", "secure": True, "max_age": 0, "same_site": "strict"}),
        "job": st.booleans(),
        "optional": st.booleans(),
    },
)
GATEWAY = optional(
    http=st.sampled_from([80, "127.0.0.1:8000", "off"]),
    https=st.sampled_from([443, "[::1]:8443", "off"]),
    dashboard=st.sampled_from([8080, "127.0.0.1:9999", "off"]),
    tls=st.sampled_from(
        [
            {"mode": "off"},
            {"mode": "self-signed"},
            {"mode": "acme", "email": "me@example.org", "hosts": "a.org"},
        ]
    ),
    dashboard_host=st.just("d.example.org"),
    args=st.lists(TEXTS, max_size=2),
)


@st.composite
def stacks(draw: st.DrawFn) -> Stack:
    services = draw(st.dictionaries(st.sampled_from(NAMES), SERVICE, min_size=1))
    names = list(services)
    for index, name in enumerate(names):
        if index:
            needed = draw(st.lists(st.sampled_from(names[:index]), unique=True))
            services[name] = {**services[name], "needs": needed}
    networks = draw(st.lists(st.sampled_from(NETWORKS), unique=True, min_size=1))
    return Stack.read(
        {
            "name": draw(st.sampled_from(["shop", "s-1", "0_x"])),
            "networks": networks,
            "gateway": draw(GATEWAY),
            "services": services,
        }
    )


@cache
def schema() -> jsonschema.Draft7Validator:
    folder = importlib.resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    return jsonschema.Draft7Validator(json.loads((folder / "compose-spec.json").read_text()))


def as_file(found: dict[str, Any]) -> dict[str, Any]:
    """The document of resolved values as Docker Compose reads it back after interpolation."""
    doubled: dict[str, Any] = json.loads(json.dumps(found).replace("$", "$$"))
    return doubled


@given(stacks())
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_document_survives_its_text_and_fits_the_schema(stack: Stack) -> None:
    """What is read back is what was rendered, and the Compose Specification allows it."""
    found = document(stack)
    assert yaml.safe_load(dump(found)) == found
    schema().validate(found)


@given(stacks())
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_stack_renders_in_one_way(stack: Stack) -> None:
    """Equal stacks give equal texts."""
    twin = copy.deepcopy(stack)
    assert compose_file(stack, source="s.yaml") == compose_file(twin, source="s.yaml")


@given(stacks())
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_everything_that_a_service_names_is_declared(stack: Stack) -> None:
    """Networks, volumes and secrets; routers of a service do not share a name."""
    found = document(stack)
    for name, service in found["services"].items():
        assert set(service["networks"]) <= set(found["networks"])
        for secret in service.get("secrets", ()):
            used = secret if isinstance(secret, str) else secret["source"]
            assert used in found["secrets"]
            assert used in secret_files(stack)
        if name in stack.services:
            names = router_names(name, stack.services[name])
            assert len(set(names)) == len(stack.services[name].routes)


@given(stacks())
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_docker_compose_accepts_every_document_and_hashes_it_as_we_do(stack: Stack) -> None:
    """So `docker compose up` recreates nothing of what msctl made."""
    found = document(stack)
    with tempfile.TemporaryDirectory() as folder:
        hashes = real_hashes(found, Path(folder))
        normal = canonical(found, working_dir=folder, project=stack.name, home="/home/op")
    assert {name: config_hash(service) for name, service in normal["services"].items()} == hashes


def real_hashes(found: dict[str, Any], folder: Path) -> dict[str, str]:
    """The hashes that the real Docker Compose prints, by service."""
    binary = Path(sys.executable).with_name("docker-compose")
    assert binary.exists(), f"{binary} is missing: install the test extras"
    file = folder / "compose.yaml"
    file.write_text(dump(as_file(found)), encoding="utf-8")
    ran = subprocess.run(
        [binary, "-f", file, "config", "--hash", "*"],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "HOME": "/home/op"},
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return dict(line.split() for line in ran.stdout.splitlines())
