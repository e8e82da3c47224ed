"""`msctl.importing`: what somebody's Traefik is told, in each of the three ways, is never lost."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from taking import loaded, taken, told

TRAEFIK = Path(sys.executable).with_name("traefik")
SECURE = ("traefik.http.routers.web.rule=Host(`a.org`)", "traefik.http.routers.web.tls=true")
ENABLED = (*SECURE, "traefik.enable=true")
SILENT = {
    "accesslog", "api", "api.insecure", "certificatesresolvers.le",
    "certificatesresolvers.le.acme.email", "certificatesresolvers.le.acme.httpchallenge",
    "certificatesresolvers.le.acme.httpchallenge.entrypoint",
    "certificatesresolvers.le.acme.storage", "certificatesresolvers.le.acme.tlschallenge",
    "entrypoints.web", "entrypoints.web.address", "entrypoints.web.asdefault",
    "entrypoints.web.http.tls", "entrypoints.web.http.tls.certresolver",
    "global.checknewversion", "log", "log.nocolor", "metrics.prometheus",
    "metrics.prometheus.addrouterslabels", "ping", "providers.docker",
    "providers.docker.exposedbydefault", "providers.docker.network",
}  # fmt: skip
"""What is read, or as msctl's gateway has it: neither kept nor told."""


def shop(files: dict[str, str] | None = None, labels: tuple[str, ...] = SECURE, **said: Any) -> Any:
    """What comes of a Traefik that is told so, and a service behind it."""
    traefik = {"image": "traefik:v3.7", "ports": ["80:80", "443:443"], **said}
    web = {"image": "web", "ports": ["80"], "labels": [*labels]}
    text = yaml.safe_dump({"services": {"traefik": traefik, "web": web}}, sort_keys=False)
    found = taken(text, files=files or {})
    loaded(found)
    return found


def lost(found: Any) -> list[str]:
    """What is told not to be carried, without its place."""
    return [note.message for note in found.notes if note.message.startswith("not carried: ")]


@cache
def every_flag() -> dict[str, str]:
    """Each flag that the real Traefik tells of, with a value that is not the usual one."""
    text = subprocess.run([TRAEFIK, "--help"], capture_output=True, text=True, check=True).stdout
    found = re.findall(r'^ {4}--(\S+) +\(Default: "(.*)"\)', text, re.MULTILINE)
    names = {"entrypoints.<name>": "entrypoints.web", "certificatesresolvers.<name>":
             "certificatesresolvers.le", "<name>": "x", "[n]": "[0]"}  # fmt: skip
    flags = {}
    for flag, usual in found:
        name = flag
        for old, new in names.items():
            name = name.replace(old, new)
        flags[name] = {"true": "false", "false": "true"}.get(usual, "odd")
    # Where they stand the route stays shut, and there is no gateway.
    for guard in ("middlewares", "tls.options"):
        del flags[f"entrypoints.web.http.{guard}"]
    del flags["configfile"]
    flags["certificatesresolvers.le.acme.email"] = "me@a.org"
    return flags


def sections(flags: dict[str, str]) -> dict[str, Any]:
    """Flags as Traefik's file has them; those that have others below them are left out."""
    root: dict[str, Any] = {}
    for name, value in flags.items():
        if "[" in name or any(other.startswith((f"{name}.", f"{name}[")) for other in flags):
            continue
        *above, last = name.split(".")
        inner = root
        for part in above:
            inner = inner.setdefault(part, {})
        inner[last] = {"true": True, "false": False}.get(value, value)
    return root


@pytest.mark.parametrize("form", ["flags", "variables", "file"])
def test_no_flag_of_traefiks_is_lost_unsaid(form: str) -> None:
    """Of all that it knows, each is read, kept under gateway.args, or told with its line; in
    whichever of the three ways it is given."""
    flags = every_flag()
    assert len(flags) > 400
    if form == "flags":
        found = shop(None, ENABLED, command=[f"--{n}={value}" for n, value in flags.items()])
    elif form == "variables":
        flags = {name: value for name, value in flags.items() if "[" not in name}
        upper = {name.upper().replace(".", "_"): value for name, value in flags.items()}
        variables = {f"TRAEFIK_{name}": value for name, value in upper.items()}
        found = shop(None, ENABLED, environment=variables)
    else:
        root = sections(flags)
        flags = {name: value for name, value in flags.items() if _at(root, name) is not None}
        content = yaml.safe_dump(root)
        volumes = ["./t.yml:/etc/traefik/traefik.yml:ro"]
        found = shop({"t.yml": content}, ENABLED, volumes=volumes)
    kept = {arg.lstrip("-").partition("=")[0] for arg in found.data["gateway"].get("args", ())}
    messages = "\n".join(lost(found)).lower().replace("_", ".").replace("traefik.", "")
    names = re.findall(r"^not carried: (?:--)?([^\s=]+)=", messages, re.MULTILINE)
    names += [".".join(map(str, note.path)) for note in found.notes if note.file == "t.yml"]
    assert flags.keys() - kept - set(names) == SILENT & flags.keys()
    assert not kept & set(names)


def _at(root: Any, name: str) -> Any:
    for part in name.split("."):
        root = root.get(part) if isinstance(root, dict) else None
    return root if not isinstance(root, dict) else None


LOSSES = [
    ("--accesslog=false", "--accesslog=false: msctl counts requests by it"),
    ("--accesslog.format=common", "--accesslog.format=common: it is JSON, which msctl reads"),
    ("--accesslog.filepath=/l", "--accesslog.filepath=/l: msctl reads what the gateway writes to "
     "its output"),
    ("--api.dashboard=false", "--api.dashboard=false: msctl asks the API, which is published where "
     "gateway.dashboard says"),
    ("--log.filePath=/l", "--log.filePath=/l: msctl reads what the gateway writes to its output"),
    ("--entrypoints.mqtt.address=:1883", "--entrypoints.mqtt.address=:1883: the gateway's entry "
     "points are HTTP and HTTPS"),
    ("--entrypoints.websecure.http3", "--entrypoints.websecure.http3: the gateway has no HTTP/3"),
    ("--metrics.prometheus.entrypoint=metrics", "--metrics.prometheus.entrypoint=metrics: it is at "
     "the API's entry point"),
    ("--pilot.token=x", "--pilot.token=x: Traefik 3 has no such setting"),
    ("--docker", "--docker: Traefik 3 has no such setting"),
    ("--certificatesresolvers.le.acme.storage=/a.json",
     "--certificatesresolvers.le.acme.storage=/a.json: without an email, the stack's own authority "
     "makes the certificates"),
    ("--serverstransport.forwardingtimeouts.dialtimeout=30s",
     "--serverstransport.forwardingtimeouts.dialtimeout=30s: it is 500ms, so that a request soon "
     "tries another replica"),
    ("run", "run: it is no flag"),
]  # fmt: skip


@pytest.mark.parametrize(("flag", "why"), LOSSES)
def test_a_flag_without_a_place_is_told_with_its_line(flag: str, why: str) -> None:
    """And with the reason, of a list as of a text."""
    found = shop(command=[flag, "--providers.docker"])
    assert f"services.traefik.command[0]: not carried: {why}" in told(found)
    assert lost(shop(command=f"{flag} --providers.docker")) == [f"not carried: {why}"]


def test_flags_that_msctl_gives_too_are_kept_over_its_own() -> None:
    """Of two of a name Traefik takes the last, and the user's come last."""
    words = [
        "traefik", "--log.level=ERROR", "--log.format", "json", "--api.debug=true",
        "--accesslog.fields.headers.names.User-Agent=keep", "--serversTransport.insecureSkipVerify",
        "--entrypoints.websecure.transport.respondingTimeouts.readTimeout=600s",
        "--entryPoints.http.forwardedHeaders.insecure",
    ]  # fmt: skip
    found = shop(command=words)
    assert found.data["gateway"]["args"] == [
        "--log.level=ERROR", "--log.format=json", "--api.debug=true",
        "--accesslog.fields.headers.names.User-Agent=keep",
        "--serversTransport.insecureSkipVerify=true",
        "--entrypoints.websecure.transport.respondingTimeouts.readTimeout=600s",
        "--entrypoints.web.forwardedHeaders.insecure=true",
    ]  # fmt: skip
    assert lost(found) == []


FILE = """\
api: {dashboard: true, insecure: false}
log:
  level: WARN
entryPoints:
  http:
    address: ":80"
    http:
      redirections: {entryPoint: {to: https, scheme: https}}
  https:
    address: ":443"
    forwardedHeaders:
      trustedIPs: [10.0.0.0/8, 172.16.0.0/12]
providers:
  docker: {endpoint: "unix:///var/run/docker.sock", exposedByDefault: false}
  file: {filename: /config.yml}
certificatesResolvers:
  cloudflare:
    acme:
      email: me@a.org
      storage: acme.json
      dnsChallenge: {provider: cloudflare, resolvers: ["1.1.1.1:53"]}
"""


@pytest.mark.parametrize(
    ("mount", "file"),
    [
        ("./data/traefik.yml:/traefik.yml:ro", "data/traefik.yml"),
        ("./data/traefik.yml:/etc/traefik/traefik.yml", "data/traefik.yml"),
        ("./data:/etc/traefik", "data/traefik.yml"),
        ({"type": "bind", "source": "./t.yaml", "target": "/etc/traefik/traefik.yaml"}, "t.yaml"),
    ],
)
def test_a_file_that_traefik_is_told_by_is_read(mount: Any, file: str) -> None:
    """As tutorials have it; what is lost of it is told with its own lines."""
    found = shop({file: FILE}, ENABLED, volumes=[mount])
    gateway = found.data["gateway"]
    assert gateway["tls"] == {"mode": "acme", "email": "me@a.org"}
    assert gateway["args"] == [
        "--log.level=WARN",
        "--entrypoints.websecure.forwardedHeaders.trustedIPs=10.0.0.0/8,172.16.0.0/12",
    ]
    mine = [note.text("docker-compose.yml") for note in found.notes if note.file == file]
    for line, part in [
        (1, "api.insecure: not carried: false: msctl asks the API"),
        (15, "providers.file.filename: not carried: /config.yml: routes and middlewares of files"),
        (21, "dnsChallenge.provider: not carried: cloudflare: Let's Encrypt's DNS challenge"),
        (21, "dnsChallenge.resolvers: not carried: 1.1.1.1:53: Let's Encrypt's DNS challenge"),
    ]:
        assert any(one.startswith(f"{file}:{line}: ") and part in one for one in mine), mine
    assert len(mine) == 4
    assert "web" in found.data["services"]
    assert found.data["services"]["web"]["routes"]


def test_a_file_may_be_a_config() -> None:
    """Of the Compose file's own."""
    traefik = {"image": "traefik:v3.7", "configs": [{"source": "t", "target": "/traefik.yml"}]}
    web = {"image": "w", "labels": [*SECURE]}
    text = yaml.safe_dump(
        {"services": {"traefik": traefik, "web": web}, "configs": {"t": {"file": "./t.yml"}}}
    )
    found = taken(text, files={"t.yml": "log: {level: ERROR}\naccessLog: {format: common}\n"})
    assert found.data["gateway"]["args"] == ["--log.level=ERROR"]
    assert "t.yml:2: accessLog.format: not carried: common: it is JSON" in told(found)


def test_of_three_ways_traefik_takes_one() -> None:
    """Its file before flags, and these before variables; what it does not hear is told."""
    file = {"t.yml": "log: {level: ERROR}\n"}
    said: dict[str, Any] = {
        "command": ["--configFile=/conf/t.yml", "--log.level=DEBUG"],
        "environment": ["TRAEFIK_LOG_LEVEL=WARN", "TZ=UTC"],
    }
    found = shop(file, volumes=["./t.yml:/conf/t.yml"], **said)
    assert found.data["gateway"]["args"] == ["--log.level=ERROR"]
    assert lost(found) == [
        "not carried: --log.level=DEBUG: Traefik takes nothing of it beside t.yml",
        "not carried: TRAEFIK_LOG_LEVEL=WARN: Traefik takes nothing of it beside t.yml",
        "not carried: TZ of the gateway",
    ]
    said["command"].pop(0)
    found = shop(**said)
    assert found.data["gateway"]["args"] == ["--log.level=DEBUG"]
    assert "TRAEFIK_LOG_LEVEL=WARN: Traefik takes nothing of it beside flags" in told(found)
    found = shop(environment=said["environment"])
    assert found.data["gateway"]["args"] == ["--log.level=WARN"]


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, "/conf/t.yml, Traefik's file, cannot be read here"),
        ({"t.yml": "a: [b"}, "t.yml:1: "),
        ({"t.yml": "log: {}\nlog: {}\n"}, "t.yml:2: key log is given twice"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(files: dict[str, str], why: str) -> None:
    """It is not there, or no YAML; and --configFile is no flag for the gateway."""
    found = shop(files, command="--configfile=/conf/t.yml", volumes=["./t.yml:/conf/t.yml"])
    assert why in told(found)
    assert "args" not in found.data["gateway"]


def test_an_empty_file_and_a_variable_without_a_value_say_nothing() -> None:
    """Nor does a command whose quotes are open."""
    assert lost(shop({"t.yml": "\n"}, volumes=["./t.yml:/traefik.yml"])) == []
    assert "args" not in shop(environment=["TRAEFIK_LOG_LEVEL"]).data["gateway"]
    assert shop(command="--log.level='DEBUG").data["gateway"]["args"] == ["--log.level='DEBUG"]


def test_a_file_of_another_form_is_told() -> None:
    """TOML knows no lines here."""
    found = shop({"t.toml": "[log]\n"}, volumes=["./t.toml:/etc/traefik/traefik.toml"])
    assert "t.toml is TOML; write it as YAML, and import it again" in told(found)


def test_an_entry_point_that_asks_clients_for_certificates_stays_shut() -> None:
    """Its routers would be open to all."""
    found = shop(
        labels=(*SECURE, "traefik.http.routers.web.entrypoints=websecure"),
        command=["--entrypoints.websecure.address=:443",
                 "--entrypoints.websecure.http.tls.options=mtls@file"],
    )  # fmt: skip
    assert "tls.options=mtls@file may keep somebody out" in told(found)
    assert "routes" not in found.data["services"]["web"]


def test_a_second_authority_for_certificates_is_told() -> None:
    """The gateway has one resolver, and its authority is Let's Encrypt."""
    le = "--certificatesresolvers.le.acme"
    found = shop(
        command=[f"{le}.email=me@a.org", f"{le}.httpchallenge.entrypoint=web",
                 f"{le}.caserver=https://acme.zerossl.com/v2/DV90",
                 "--certificatesresolvers.other.acme.email=you@b.org"],
    )  # fmt: skip
    assert found.data["gateway"]["tls"] == {"mode": "acme", "email": "me@a.org"}
    assert lost(found) == [
        f"not carried: {le}.caserver=https://acme.zerossl.com/v2/DV90: certificates are Let's "
        "Encrypt's",
        "not carried: --certificatesresolvers.other.acme.email=you@b.org: the gateway has one "
        "resolver, which is le",
    ]
