"""The Compose document of a stack, and its text."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from msctl.model import Service, Stack
from msctl.records import written
from msctl.render.compose import compose_file, document, secret_files
from msctl.render.document import bind_source, dump, relocated, volume_name
from msctl.render.health import has_container_check

CONFINED: dict[str, Any] = {
    "cap_drop": ["ALL"],
    "cap_add": [
        "CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID",
    ],
    "security_opt": ["no-new-privileges:true"],
    "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
}  # fmt: skip
"""What every service has that does not say otherwise."""
PIDS = {"limits": {"pids": 2048}}


def stack(gateway: dict[str, Any] | None = None, **services: dict[str, Any]) -> Stack:
    return Stack.read(
        {
            "name": "shop",
            "networks": ["front", "back"],
            "gateway": gateway or {},
            "services": {name: {"image": "i", **keys} for name, keys in services.items()},
        }
    )


def rendered(**keys: Any) -> dict[str, Any]:
    """One internal service, without what every service has."""
    service: dict[str, Any] = document(stack(web=keys))["services"]["web"]
    usual = {"image": "i", "networks": ["front"], "restart": "unless-stopped", **CONFINED}
    assert usual.keys() <= service.keys()
    return {key: value for key, value in service.items() if usual.get(key) != value}


def compose_config(file: Path) -> dict[str, Any]:
    binary = Path(sys.executable).with_name("docker-compose")
    assert binary.exists(), f"{binary} is missing: install the test extras"
    command = [binary, "-f", file, "config", "--format", "json"]
    ran = subprocess.run(
        command, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"}, check=False
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def test_a_service_that_says_little_stays_short() -> None:
    """Nothing is written that the file does not say and Compose does not need, but for what
    confines it, and the number of replicas: were it not always there, another one would change
    the config hash."""
    assert rendered() == {"deploy": {"replicas": 1, "resources": PIDS}}


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ({}, {}),
        ({"cap_add": "net_admin"}, {"cap_add": [*CONFINED["cap_add"], "NET_ADMIN"]}),
        ({"cap_drop": ["ALL"]}, {"cap_add": None}),
        (
            {"cap_drop": [], "cap_add": ["SYS_PTRACE"]},
            {"cap_drop": None, "cap_add": ["SYS_PTRACE"]},
        ),
        ({"cap_drop": "NET_RAW"}, {"cap_drop": ["NET_RAW"], "cap_add": None}),
        ({"security_opt": []}, {"security_opt": None}),
        ({"logging": "off"}, {"logging": None}),
        ({"logging": {"driver": "journald"}}, {"logging": {"driver": "journald"}}),
        (
            {"logging": {"options": {"max-size": "1m", "max-file": 2}}},
            {"logging": {"options": {"max-size": "1m", "max-file": "2"}}},
        ),
        ({"user": 1000}, {"user": "1000"}),
        ({"user": "app:app", "read_only": True}, {"user": "app:app", "read_only": True}),
        ({"tmpfs": "/run:size=8m,mode=0755"}, {"tmpfs": ["/run:size=8m,mode=0755"]}),
    ],
)
def test_what_a_container_may_do(keys: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Every service is confined; a key of the file stands in the place of the default, and
    `cap_add` alone adds to it. Docker Compose reads the same."""
    found = document(stack(web={"port": 80, **keys}))["services"]["web"]
    confined = {**CONFINED, **wanted}
    known = (*CONFINED, "user", "read_only", "tmpfs")
    assert {key: found[key] for key in known if key in found} == {
        key: value for key, value in confined.items() if value is not None
    }


@pytest.mark.parametrize(
    ("value", "limits"), [("50", {"pids": 50}), (False, {}), ("off", {}), (-1, {})]
)
def test_processes_are_counted(value: Any, limits: dict[str, Any]) -> None:
    """The limit stands where Docker Compose takes it beside others; without one, none does."""
    found = rendered(pids_limit=value, resources={"cpus": 1})
    assert found["deploy"]["resources"]["limits"] == {"cpus": "1", **limits}


def test_the_gateway_is_confined_most() -> None:
    """It opens ports and nothing else: one capability, and it cannot change its own files."""
    found = document(stack(web={"port": 80, "routes": ["/"]}))["services"]["traefik"]
    wanted = {**CONFINED, "cap_add": ["NET_BIND_SERVICE"], "read_only": True, "tmpfs": ["/tmp"]}
    assert {key: found[key] for key in wanted} == wanted
    assert found["pids_limit"] == 2048
    loose = {"read_only": False, "cap_drop": [], "tmpfs": [], "logging": False}
    found = document(stack(loose, web={"port": 80, "routes": ["/"]}))["services"]["traefik"]
    assert not {"read_only", "cap_drop", "cap_add", "tmpfs", "logging"} & found.keys()


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ({"build": "./src"}, {"build": "./src"}),
        (
            {"build": {"context": "./src", "args": {"A": 1, "B": None}}},
            {"build": {"context": "./src", "args": {"A": "1", "B": None}}},
        ),
        ({"command": "run it"}, {"command": "run it"}),
        ({"command": ["run", 1], "entrypoint": []}, {"entrypoint": [], "command": ["run", "1"]}),
        ({"env": {"A": 1, "B": None}}, {"environment": {"A": "1", "B": None}}),
        ({"env_file": "a.env"}, {"env_file": ["a.env"]}),
        ({"ports": [8080, "9:9"]}, {"ports": ["8080", "9:9"]}),
        ({"volumes": ["data:/data"]}, {"volumes": ["data:/data"]}),
        ({"networks": ["back", "front"]}, {"networks": ["back", "front"]}),
        ({"labels": ["a=b", "c"]}, {"labels": {"a": "b", "c": ""}}),
        ({"stop_grace": "1m30s"}, {"stop_grace_period": "1m30s"}),
        ({"stop_grace": "0s"}, {"stop_grace_period": "0s"}),
        ({"stop_grace": "10s"}, {}),
        ({"restart": "on-failure:3"}, {"restart": "on-failure:3"}),
        ({"replicas": 1}, {}),
        ({"replicas": 2}, {"deploy": {"replicas": 2}}),
        ({"pids_limit": 2048}, {}),
        (
            {"resources": {"cpus": 0.5, "memory": "512M", "reserve": {"cpus": 0.25}}},
            {
                "deploy": {
                    "resources": {
                        "limits": {"cpus": "0.5", "memory": "512M"},
                        "reservations": {"cpus": "0.25"},
                    }
                }
            },
        ),
        (
            {"resources": {"cpus": 10, "memory": "1.5g"}},
            {"deploy": {"resources": {"limits": {"cpus": "10", "memory": "1536M"}}}},
        ),
    ],
)
def test_a_key_of_the_stack_file_becomes_the_one_of_compose(
    keys: dict[str, Any], wanted: dict[str, Any]
) -> None:
    """Short forms stay short; sizes and durations read as people write them."""
    limits = wanted.get("deploy", {}).get("resources", {})
    resources = {**limits, "limits": {**limits.get("limits", {}), **PIDS["limits"]}}
    deploy = {"replicas": 1, **wanted.get("deploy", {}), "resources": resources}
    assert rendered(**keys) == {**wanted, "deploy": deploy}


def test_a_job_is_not_started_again() -> None:
    """Its end is its success; only after a failure may the engine try again, when told so."""
    jobs = stack(
        usual={"job": True},
        always={"job": True, "restart": "always"},
        failing={"job": True, "restart": "on-failure:3"},
    )
    found = {name: service["restart"] for name, service in document(jobs)["services"].items()}
    assert found == {"usual": "no", "always": "no", "failing": "on-failure:3"}


def test_what_is_needed_must_be_as_ready_as_it_can_tell() -> None:
    """Healthy where the engine checks it, else started; a job must have ended well."""
    found = document(
        stack(
            web={"port": 80, "needs": ["checked", "unchecked", "gateway-checked", "job", "extra"]},
            checked={"health": {"command": ["true"]}},
            unchecked={},
            **{"gateway-checked": {"port": 80, "health": {"path": "/", "command": "none"}}},
            job={"job": True},
            extra={"optional": True},
        )
    )
    assert found["services"]["web"]["depends_on"] == {
        "checked": {"condition": "service_healthy"},
        "unchecked": {"condition": "service_started"},
        "gateway-checked": {"condition": "service_started"},
        "job": {"condition": "service_completed_successfully"},
        "extra": {"condition": "service_started", "required": False},
    }


def test_the_labels_of_the_file_join_the_gateways() -> None:
    """A label of the file wins, since it is what its author wrote."""
    found = document(
        stack(
            web={
                "port": 80,
                "routes": ["/"],
                "labels": {"team": "a", "traefik.http.routers.web.priority": "7"},
            }
        )
    )["services"]["web"]["labels"]
    assert found["team"] == "a"
    assert found["traefik.enable"] == "true"
    assert found["traefik.http.routers.web.priority"] == "7"


def test_networks_and_volumes_are_those_that_are_used() -> None:
    """Named volumes are declared, whichever way they are written; paths are not."""
    found = document(
        stack(
            web={
                "networks": ["back"],
                "volumes": [
                    "data:/data",
                    "/host:/a",
                    "./here:/b",
                    "~/home:/c",
                    "/anonymous",
                    {"type": "volume", "source": "long", "target": "/d"},
                    {"type": "bind", "source": "there", "target": "/e"},
                    {"type": "tmpfs", "target": "/f"},
                    "data:/again:ro",
                ],
            }
        )
    )
    assert found["networks"] == {"back": None}
    assert found["volumes"] == {"data": None, "long": None}


def test_a_gateway_is_rendered_for_routes_only() -> None:
    """It comes first, has a fixed name, and no volume of its own is left without it."""
    without = document(stack(web={"port": 80}))
    assert list(without) == ["name", "services", "networks"]
    assert list(without["services"]) == ["web"]
    with_routes = document(
        stack(web={"port": 80, "routes": ["/"], "networks": ["back", "front"]}, db={})
    )
    assert list(with_routes["services"]) == ["traefik", "socket-proxy", "web", "db"]
    gateway = with_routes["services"]["traefik"]
    assert gateway["container_name"] == "shop_traefik"
    assert gateway["networks"] == ["back", "socket-proxy"]
    assert gateway["volumes"] == ["gateway:/etc/traefik/dynamic"]
    assert with_routes["volumes"] == {"gateway": None}
    assert not [
        s for s in with_routes["services"].values() if s != gateway and "container_name" in s
    ]


@pytest.mark.parametrize(
    ("gateway", "ports"),
    [
        ({}, ["80:80", "443:443", "127.0.0.1:8080:8080", "127.0.0.1::8081"]),
        ({"http": 8000, "https": "[::1]:8443", "dashboard": "off"}, ["8000:80", "[::1]:8443:443"]),
        ({"tls": {"mode": "off"}, "dashboard": "off"}, ["80:80"]),
        ({"http": "off", "dashboard": 9000}, ["443:443", "127.0.0.1:9000:8080", "127.0.0.1::8081"]),
    ],
)
def test_the_gateway_publishes_what_the_file_says(
    gateway: dict[str, Any], ports: list[str]
) -> None:
    """HTTPS only when TLS is on; the entry point of probes stays on this machine."""
    found = document(stack(gateway, web={"port": 80, "routes": ["/"]}))
    assert found["services"]["traefik"]["ports"] == ports


def test_secrets_are_files_beside_the_stack_file() -> None:
    """One with a template is another file than the secret itself, with a name of its own."""
    mounts = [
        "plain",
        {"name": "plain", "target": "/etc/plain"},
        {"name": "plain", "template": "a={secret}", "target": "/etc/a"},
        {"name": "plain", "template": "b={secret}"},
    ]
    shop = stack(web={"secrets": mounts}, other={"secrets": ["plain"]})
    found = document(shop)
    assert secret_files(shop) == {
        "plain": ("plain", None),
        "web.plain": ("plain", "a={secret}"),
        "web.plain.2": ("plain", "b={secret}"),
    }
    assert found["secrets"] == {
        name: {"file": f"./.msctl/secrets/{name}"} for name in ("plain", "web.plain", "web.plain.2")
    }
    assert found["services"]["web"]["secrets"] == [
        "plain",
        {"source": "plain", "target": "/etc/plain"},
        {"source": "web.plain", "target": "/etc/a"},
        {"source": "web.plain.2", "target": "/run/secrets/plain"},
    ]


@pytest.mark.parametrize(
    ("health", "checked"),
    [
        (None, False),
        ({"path": "/", "command": "none"}, False),
        ({"path": "/"}, True),
        ({"grpc": True}, True),
        ({"command": ["true"]}, True),
    ],
)
def test_whether_the_engine_checks(health: Any, checked: bool) -> None:
    """A check of the gateway's alone is none of the container."""
    service = Service.read({"image": "i", "port": 80, **({"health": health} if health else {})})
    assert has_container_check(service) is checked
    assert ("healthcheck" in rendered(**written(service))) is checked


MOUNTS = [
    ("data:/data", None, "data"),
    ("./a:/b:ro", "./a", None),
    ("../a:/b", "../a", None),
    ("/a:/b", "/a", None),
    ("~/a:/b", "~/a", None),
    ("/anonymous", None, None),
    ("C:\\a:/b", "C:\\a", None),
    ("${DIR:-./a}:/b", None, None),
    ("./${DIR:-x:y}/z:/b", "./${DIR:-x:y}/z", None),
    ("$DIR:/b", None, None),
    ({"type": "bind", "source": "a", "target": "/b"}, "a", None),
    ({"type": "volume", "source": "a", "target": "/b"}, None, "a"),
    ({"type": "volume", "target": "/b"}, None, None),
]


@pytest.mark.parametrize(("mount", "path", "name"), MOUNTS)
def test_what_a_mount_mounts(mount: Any, path: str | None, name: str | None) -> None:
    """A path, a volume, or neither: a variable at the start cannot be told."""
    assert bind_source(mount) == path
    assert volume_name(mount) == name


@pytest.mark.parametrize(
    ("path", "moved"),
    [
        ("./src", "../stack/src"),
        ("src", "../stack/src"),
        ("../src", "../src"),
        (".", "../stack"),
        ("/src", "/src"),
        ("~/src", "~/src"),
        ("https://example.org/a.git", "https://example.org/a.git"),
        ("git@example.org:a.git", "git@example.org:a.git"),
        ("github.com/a/b", "github.com/a/b"),
        ("${SRC}", "${SRC}"),
        ("./${SRC}/..", "../stack/${SRC}/.."),
    ],
)
def test_a_file_elsewhere_names_the_same_folders(path: str, moved: str) -> None:
    """Relative paths are rewritten; absolute ones, URLs and variables stay."""
    found = relocated({"services": {"web": {"build": path}}}, "../stack")
    assert found["services"]["web"]["build"] == moved


def test_docker_compose_reads_the_same_from_a_file_elsewhere(tmp_path: Path) -> None:
    """Every kind of path leads to the same place from another folder."""
    home, elsewhere = tmp_path / "stack", tmp_path / "deep" / "down"
    home.mkdir()
    elsewhere.mkdir(parents=True)
    (home / "a.env").write_text("FROM_FILE=1\n")
    shop = stack(
        web={
            "build": {"context": "../src", "dockerfile": "D"},
            "env_file": ["./a.env"],
            "volumes": [
                "./here:/a",
                "named:/b",
                {"type": "bind", "source": "./there", "target": "/c"},
            ],
            "secrets": ["plain"],
        },
        other={"build": "./b"},
    )
    near, far = home / "docker-compose.yml", elsewhere / "compose.yaml"
    near.write_text(compose_file(shop, source="stack.yaml"))
    far.write_text(compose_file(shop, source="../../stack/stack.yaml", prefix="../../stack"))
    assert near.read_text() != far.read_text()
    assert compose_config(near) == compose_config(far)


def test_the_file_says_where_it_comes_from() -> None:
    """Who opens it learns what to change instead, and how to write it anew."""
    text = compose_file(stack(web={}), source="stack.yaml", output="out.yml")
    assert text.splitlines()[:2] == [
        "# Generated by msctl from stack.yaml. Do not edit: change stack.yaml, then run",
        "#   msctl -f stack.yaml render compose -o out.yml",
    ]


def test_volumes_that_variables_name_are_declared() -> None:
    """Both what they stand for and their default, or Docker Compose refuses the file."""
    mounts = ["${A:-data}:/a", "${B}:/b", "${C:-./c}:/c", {"type": "volume", "source": "${D-dd}",
              "target": "/d"}]  # fmt: skip
    raw = {"name": "shop", "services": {"web": {"image": "i", "volumes": mounts}}}
    kept = Stack.read(raw, keep=True)
    meant = stack(web={"volumes": ["other:/a", "bb:/b", "./c:/c", "dd:/d"]})
    found = yaml.safe_load(compose_file(kept, source="stack.yaml", meant=meant))
    assert list(found["volumes"]) == ["data", "dd", "other", "bb"]
    assert set(document(meant)["volumes"]) == {"other", "bb", "dd"}


def test_variables_that_are_kept_reach_the_file() -> None:
    """What passes through to Compose is resolved by Compose, with its own environment."""
    kept = Stack.read(
        {
            "name": "shop",
            "gateway": {"image": "${TRAEFIK:-traefik:v3.7}"},
            "services": {
                "web": {
                    "image": "shop/web:${TAG:-1}",
                    "build": {"context": "${SRC:-./src}", "args": {"A": "$A"}},
                    "command": "run ${MODE}",
                    "env": {"A": "${A:?must be set}"},
                    "env_file": "${ENV_FILE:-a.env}",
                    "ports": ["${PORT:-80}:80"],
                    "volumes": ["${DATA:-./data}:/data"],
                    "labels": {"a": "$$literal"},
                    "port": 80,
                    "routes": ["/"],
                }
            },
        },
        keep=True,
    )
    found = yaml.safe_load(compose_file(kept, source="stack.yaml", prefix=".."))["services"]
    assert found["traefik"]["image"] == "${TRAEFIK:-traefik:v3.7}"
    web = found["web"]
    assert web["image"] == "shop/web:${TAG:-1}"
    assert web["build"] == {"context": "${SRC:-./src}", "args": {"A": "$A"}}
    assert web["command"] == "run ${MODE}"
    assert web["environment"] == {"A": "${A:?must be set}"}
    assert web["env_file"] == ["${ENV_FILE:-a.env}"]
    assert web["ports"] == ["${PORT:-80}:80"]
    assert web["volumes"] == ["${DATA:-./data}:/data"]
    assert web["labels"]["a"] == "$$literal"


HARD_TEXTS = [
    *("1e3", "0o14", "0x1F", "1_000", "12e4567", "80:80", "1:30", ".5", "5.", "2024-01-01"),
    *("~", "null", "yes", "n", "no", "on", "=", "<<", "", " a", "a ", "a: b", "a #b", "- a"),
    *("'", '"', "\\", "%a", "{a}", "[a]", "*a", "&a", "!a", "|", ">", "@a", "`a`"),
    *("a\nb", "a\n\nb\n", "\na", "a \nb", "\ta", "a\tb", "a\r\nb", "\x85", "\u2028", "\ufeff"),
    *("\x7f", "é", "日本", "😀", "a" * 300, "a b " * 100),
]


def test_docker_compose_reads_every_text_as_it_was_meant(tmp_path: Path) -> None:
    """Numbers, dates, line ends and signs in a variable's value stay the text that they are."""
    wanted = {f"V{number}": text for number, text in enumerate(HARD_TEXTS)}
    text = dump({"name": "shop", "services": {"web": {"image": "i", "environment": wanted}}})
    file = tmp_path / "compose.yaml"
    file.write_text(text)
    assert compose_config(file)["services"]["web"]["environment"] == wanted
    assert yaml.safe_load(text)["services"]["web"]["environment"] == wanted


def test_a_text_of_several_lines_is_a_block() -> None:
    """A script reads as a script."""
    assert dump({"a": "if x\n  y\nfi"}) == "a: |-\n  if x\n    y\n  fi\n"


def test_a_document_without_services_is_still_one() -> None:
    """An empty mapping is not the same as nothing."""
    assert dump({"name": "a", "services": {}}) == "name: a\n\nservices: {}\n"
