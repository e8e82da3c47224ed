"""`msctl.importing`: Compose files as people have them, and msctl's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from everykey import PASSED
from hypothesis import HealthCheck, assume, given, settings
from taking import loaded, taken, told
from test_passthrough import loaded as with_passed
from test_render_properties import as_file, real_hashes, stacks

import msctl
from msctl.config import load_text, yamltext
from msctl.importing.routes.rules import Match, matches
from msctl.importing.source import OURS
from msctl.model import Stack
from msctl.render.canonical import canonical
from msctl.render.canonical.confighash import config_hash
from msctl.render.compose import document
from msctl.render.document import dump

COMPOSE = Path(msctl.__file__).parent.parent / "compose"


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
