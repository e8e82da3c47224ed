"""`msctl.importing`: Compose files as people have them, and msctl's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from everykey import PASSED
from hypothesis import HealthCheck, assume, given, settings
from test_passthrough import loaded as with_passed
from test_render_properties import as_file, real_hashes, stacks

import msctl
from msctl.config import load_text, yamltext
from msctl.importing import Imported, Made, Source, composed, imported
from msctl.importing.routes.rules import Match, matches
from msctl.importing.source import OURS
from msctl.model import Stack
from msctl.render.canonical import canonical
from msctl.render.canonical.confighash import config_hash
from msctl.render.compose import document
from msctl.render.document import dump

COMPOSE = Path(msctl.__file__).parent.parent / "compose"


def taken(
    text: str,
    environ: Mapping[str, str] | None = None,
    *,
    name: str = "shop",
    files: tuple[str, ...] | Mapping[str, str] = (),
) -> Imported:
    """What a Compose file comes to."""

    def read(path: str) -> bytes:
        if path != "f" and not (isinstance(files, Mapping) and path in files):
            raise FileNotFoundError(2, "No such file or directory", path)
        return (text if path == "f" else files[path]).encode()

    lookup = (environ or {}).get
    found = composed(["f"], read, lookup)
    source = Source(
        found.document,
        lookup,
        exists=files.__contains__,
        read=read,
        own=text.startswith(OURS),
        notes=list(found.lost),
    )
    return imported(source, name)


def loaded(found: Imported, environ: Mapping[str, str] | None = None) -> Stack:
    """The stack of the written file; every file that it names is there, and empty."""
    text = found.text("docker-compose.yml")
    return load_text(text, name="stack.yaml", environ=environ or {}, read_file=lambda _path: b"")


def told(found: Imported) -> str:
    return "\n".join(note.text("f") for note in found.notes)


def hashes(stack: Stack) -> dict[str, str]:
    normal = canonical(document(stack), working_dir="/w", project=stack.name, home="/home/op")
    return {name: config_hash(service) for name, service in normal["services"].items()}


def test_the_rendered_musicshare_comes_back() -> None:
    """Rendered again, every service has the hash it had, and the counts and kinds are the same."""
    text = (COMPOSE / "stack.yaml").read_text()
    stack = load_text(text, name="stack.yaml", environ={})
    found = taken((COMPOSE / "docker-compose.yml").read_text())
    back = loaded(found)
    assert hashes(back) == hashes(stack)
    assert back.networks == stack.networks
    for name, service in stack.services.items():
        again = back.services[name]
        assert (again.kind, again.routes, again.needs) == (
            service.kind,
            service.routes,
            service.needs,
        )
        assert again.replicas.initial == service.replicas.initial
        assert again.health == service.health
        assert again.port == service.port or service.kind == "stateful"
    (note,) = found.notes
    assert "the template of rabbitmq-password" in note.message


@given(stacks())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_stack_that_renders_imports_back(stack: Stack) -> None:
    """With the same hashes, so that nothing is replaced; what only the gateway's own file holds
    (users, the dashboard's host) is not in the rendered one."""
    users = any(
        record.basic_auth
        for service in stack.services.values()
        for record in (service, *service.routes)
    )
    gateway = stack.gateway
    assume(not users and not (gateway.dashboard_host and not gateway.dashboard))
    assume(gateway.tls_on or gateway.tls.mode != "acme")  # no trace of it but a volume
    text = f"{OURS}\n{dump(as_file(document(stack)))}"
    found = taken(text)
    assert yamltext.parse(found.text("f")).value == found.data
    back = Stack.read(_each(found.data, lambda text: text.replace("$$", "$")))
    assert hashes(back) == hashes(stack)


def test_everything_that_is_passed_on_imports_back() -> None:
    """Every key of `x-compose`, of a service and of the stack, through the rendered file."""
    top = {
        "networks": {"front": {"internal": True}},
        "volumes": {"data": {"labels": {"a": "b"}}},
    }
    stack = with_passed(PASSED, top)
    found = taken(f"{OURS}\n{dump(as_file(document(stack)))}")
    back = Stack.read(_each(found.data, lambda text: text.replace("$$", "$")))
    assert hashes(back) == hashes(stack)
    for section in ("networks", "volumes"):
        assert document(back)[section] == document(stack)[section]


def _each(value: Any, change: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _each(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_each(item, change) for item in value]
    return change(value) if isinstance(value, str) else value


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ("Host(`a.org`)", [Match("a.org")]),
        ("Host(`A.org`, `b.org`)", [Match("a.org"), Match("b.org")]),
        ("Host(`a.org`) || Host(`b.org`)", [Match("a.org"), Match("b.org")]),
        ("PathPrefix(`/api`)", [Match(None, "/api")]),
        ("Path(`/up`)", [Match(None, "/up", exact=True)]),
        ("Host(`a.org`) && PathPrefix(`/api`)", [Match("a.org", "/api")]),
        (
            "(Host(`a.org`) || Host(`b.org`)) && (PathPrefix(`/x`) || Path(`/y`))",
            [
                Match("a.org", "/x"),
                Match("a.org", "/y", exact=True),
                Match("b.org", "/x"),
                Match("b.org", "/y", exact=True),
            ],
        ),
        ("Host(`a.org`) && Host(`b.org`)", []),
        ("PathPrefix(`/a`) && PathPrefix(`/a/b`)", [Match(None, "/a/b")]),
        ('Host("a.org")', [Match("a.org")]),
        ("Host(`${SUB:-www}.${DOMAIN}`)", [Match("${SUB:-www}.${DOMAIN}")]),
    ],
)
def test_rules_become_hosts_and_paths(rule: str, wanted: list[Match]) -> None:
    """One route for each alternative."""
    assert list(matches(rule)) == wanted


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("HostRegexp(`.*`)", "HostRegexp"),
        ("!Host(`a`)", "!"),
        ("Host(`a`", r"\)"),
        ("Host`a`", r"\("),
        ("Host(`a`) &&", "too early"),
        ("Host(`a`) Host(`b`)", "goes on"),
        ("Headers(`A`, `b`)", "Headers"),
        ("PathPrefix(`/{id}`)", "path"),
        ("Host(`a`) ? 1", "cannot be read"),
    ],
)
def test_other_rules_are_told(rule: str, told: str) -> None:
    """With what has no place in the stack file."""
    with pytest.raises(ValueError, match=told):
        matches(rule)


ENVIRONMENT = {
    "CHECK_INTERVAL": "30s", "CHECK_RETRIES": "10", "CHECK_TIMEOUT": "1m30s",
    "DB_DATA_LOCATION": "./pg", "DB_PASSWORD": "x", "DOMAIN": "example.org",
    "DOMAIN_NAME": "example.org", "IMAGE_BACKEND": "acme/backend", "SENTRY_BIND": "9000",
    "SSL_EMAIL": "me@example.org", "STACK": "app", "SUBDOMAIN": "n8n",
    "UPLOAD_LOCATION": "./library",
}  # fmt: skip
CORPUS = Path(__file__).parent / "corpus" / "compose"
EXPECTED = yaml.safe_load((CORPUS / "expected.yaml").read_text())


def test_every_compose_file_of_the_corpus_is_expected_to_be_something() -> None:
    """Twelve well-known projects' structures, each with what comes of it."""
    assert sorted(EXPECTED) == sorted(path.stem for path in CORPUS.glob("*.yml"))
    assert len(EXPECTED) >= 12


@pytest.mark.parametrize("name", EXPECTED)
def test_a_well_known_compose_file_loads(name: str, tmp_path: Path) -> None:
    """Kinds and counts, what is not carried, and whatever else is said of it; Docker Compose gives
    the rendered file's services the hashes that msctl does."""
    wanted = EXPECTED[name]
    found = taken((CORPUS / f"{name}.yml").read_text(), ENVIRONMENT, files=("db.env",))
    stack = loaded(found, ENVIRONMENT)
    kinds = {
        service_name: f"{service.kind} {service.replicas.initial}"
        for service_name, service in stack.services.items()
    }
    assert kinds == wanted["services"]
    lost = [note.text("") for note in found.notes if "not carried" in note.message]
    assert len(lost) == len(wanted.get("lost", ())), lost
    for text, part in zip(lost, wanted.get("lost", ()), strict=True):
        assert part in text
    for path, value in wanted.get("values", {}).items():
        assert at(found.data, path) == value, path
    rendered = document(stack)
    normal = canonical(rendered, working_dir=str(tmp_path), project=stack.name, home="/home/op")
    ours = {key: config_hash(service) for key, service in normal["services"].items()}
    assert ours == real_hashes(rendered, tmp_path)


def at(data: Any, path: str) -> Any:
    for part in path.split("/"):
        data = data[int(part)] if isinstance(data, list) else data.get(part)
    return data


def test_what_guards_a_route_is_never_lost_silently() -> None:
    """Where a middleware that keeps somebody out cannot be had, its route is left out."""
    text = """\
services:
  app:
    image: app
    labels:
      traefik.http.routers.app.rule: PathPrefix(`/`)
      traefik.http.routers.app.middlewares: login
      traefik.http.middlewares.login.forwardauth.address: http://auth
      traefik.http.services.app.loadbalancer.server.port: 80
"""
    found = taken(text)
    assert "routes" not in found.data["services"]["app"]
    assert "services.app.labels" in told(found)
    assert "login may keep somebody out" in told(found)
    users = text.replace("forwardauth.address: http://auth", "basicauth.users: bob:$$apr1$$x")
    found = taken(users)
    assert found.data["services"]["app"]["basic_auth"] == ["bob"]
    assert "passwords are msctl's own" in told(found)


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
