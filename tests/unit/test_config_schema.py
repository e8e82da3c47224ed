"""The JSON Schema says what the loader says, as far as a schema can."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from corpus import bad_stacks
from jsonschema import Draft202012Validator

from msctl.config.schema import schema
from msctl.config.starter import starter

VALIDATOR = Draft202012Validator(schema())

RICH = """\
name: ${NAME:-shop}
x-note: [anything]
networks: [front, back]
metrics: {prometheus: "http://127.0.0.1:${PORT:-9090}"}
gateway:
  image: traefik:v3.7
  build: ./traefik
  http: ${HTTP:-80}
  https: 127.0.0.1:8443
  dashboard: "off"
  api: http://x
  tls: {mode: acme, email: me@example.org, hosts: a.example.org, challenge: tls, staging: "${S}"}
  dashboard_host: traefik.example.org
  args: --log.level=DEBUG
services:
  db: {image: postgres:15, stateful: true, needs: migrate, networks: back, ports: "5432:5432"}
  migrate: {image: a, job: yes, env: [A=1, B], command: run it}
  web:
    image: web:${TAG}
    build: {context: ., dockerfile: D, args: {A: 1, B: null}}
    command: [run, 5, true]
    env: {A: 1, B: null, C: "${X}", D: true, E: 1.5}
    env_file: a.env
    ports: [80, "90:90", {target: 80, published: "81"}]
    volumes: [./a:/a, {type: volume, source: v, target: /v}]
    labels: {a: b}
    restart: on-failure:3
    stop_grace: ${GRACE:-10s}
    networks: [front, back]
    secrets: [one, {name: two, target: /x, template: "a{secret}"}]
    port: ${PORT}
    routes: [/a, {path: "${P}/x", host: www.example.org, strip: "${S}", priority: 5}]
    replicas: ${N}
    resources: {cpus: "0.5", memory: 512M, reserve: {cpus: 0.25, memory: 1024}}
    health: {path: /, interval: 5s, timeout: 1s, retries: 3, start_period: 0s, command: [a, 1]}
    sticky: {name: c, same_site: lax, secure: true, http_only: true, max_age: 5}
    needs: [db]
    optional: false
    rollout: {surge: 25%, health_timeout: 1m, order: start-first}
    rate_limit: {average: 100, burst: "${BURST}", period: 1s}
    in_flight: 10
    headers: {frame: sameorigin, referrer: off, csp: "default-src 'self'", response: {X-A: b}}
    ip_allow: [10.0.0.0/8, "::1"]
    basic_auth: alice
    body_limit: off
    retry: {attempts: 2, interval: 10ms}
    autoscale: {min: 1, max: "${MAX:-4}", cpu: 70%, rps: 12.5, latency_p95: 500ms, interval: 5s}
  files:
    {image: a, port: 80, routes: {path: /f, rate_limit: 5, ip_allow: 10.0.0.1, retry: 2}}
  worker: {image: a, replicas: {initial: 2, min: 1, max: 4}, sticky: c, routes: {path: /w}}
"""

REFUSED = [
    # title of a case in the table of wrong files that a schema can see
    "no name",
    "no services",
    "services empty",
    "services is a list",
    "bad name",
    "unknown top-level key",
    "service without image",
    "service is text",
    "service name",
    "misspelt key",
    "unknown key, nothing near",
    "misspelt nested keys",
    "autoscale: values",
    "values missing",
    "TLS mode",
    "middlewares: values",
    "networks as in Compose",
]


def test_it_is_a_schema_of_the_named_draft() -> None:
    """Editors go by `$schema`; it can be printed as JSON."""
    Draft202012Validator.check_schema(schema())
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema()["title"] == "msctl stack file"
    json.dumps(schema())


@pytest.mark.parametrize("text", [RICH, starter("shop")], ids=["rich", "starter"])
def test_it_accepts_what_is_right(text: str) -> None:
    """Short forms, lists of one, `${VAR}` for everything, `x-*`."""
    # PyYAML reads `off` as false, as do the language servers of editors that know YAML 1.1.
    assert list(VALIDATOR.iter_errors(yaml.safe_load(text))) == []


def test_bare_off_is_accepted() -> None:
    """As false, as a YAML 1.1 editor reads it."""
    data = yaml.safe_load(starter("shop"))
    data["gateway"] |= {"http": False, "tls": {"mode": False}}
    assert VALIDATOR.is_valid(data)


@pytest.mark.parametrize("title", REFUSED)
def test_it_refuses_what_it_can_see(title: str) -> None:
    """Unknown keys, keys to come, missing and empty ones, wrong types and names."""
    case = next(case for case in bad_stacks() if case.title == title)
    assert not VALIDATOR.is_valid(yaml.safe_load(case.text))


def _nodes(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [inner for item in node for inner in _nodes(item)]
    if not isinstance(node, dict):
        return []
    return [node, *(inner for item in node.values() for inner in _nodes(item))]


def test_defaults_are_written_as_in_the_file() -> None:
    """Durations as 10s; keys to come are left out; every record lets `x-*` through."""
    health = schema()["$defs"]["HealthCheck"]["properties"]
    assert health["interval"]["default"] == "10s"
    assert health["start_period"]["default"] == "0s"
    assert "PT" not in json.dumps([node.get("default") for node in _nodes(schema())])
    service = schema()["$defs"]["Service"]["properties"]
    assert "kubernetes" in service
    autoscale = schema()["$defs"]["Autoscale"]["properties"]
    assert autoscale["interval"]["default"] == "15s"
    assert autoscale["stabilize_down"]["default"] == "5m"
    closed = [node for node in _nodes(schema()) if node.get("additionalProperties") is False]
    assert len(closed) > 8
    assert all("^x-" in node["patternProperties"] for node in closed)


def test_every_key_is_documented_or_speaks_for_itself() -> None:
    """What completes in an editor comes with its meaning."""
    plain = {"cpus", "memory", "secure", "http_only", "same_site", "command", "entrypoint"}
    plain |= {"labels", "rollout", "order"}
    for record in (node for node in _nodes(schema()) if "properties" in node):
        for key, value in record["properties"].items():
            assert "description" in value or key in plain, key
