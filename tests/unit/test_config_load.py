"""From the text to the stack: values, short forms, variables, the form for `render`."""

from __future__ import annotations

from datetime import timedelta

import pytest
from reading import SMALL, read

from msctl.config.starter import starter
from msctl.errors import UsageProblem


def test_the_project_option_overrides_the_name() -> None:
    """Also where the file has none, or a wrong one."""
    assert read(SMALL, project="other").name == "other"
    assert read("services: {web: {image: a}}", project="other").name == "other"
    with pytest.raises(UsageProblem, match="-p/--project: 'My Shop' is not a project name"):
        read(SMALL, project="My Shop")


def test_short_and_long_forms_are_one() -> None:
    """A bare value stands for the record's first key, a single one for a list."""
    short = read(
        "name: shop\n"
        "services:\n"
        "  db: {image: a}\n"
        "  web:\n"
        "    {image: a, build: ., port: '80', replicas: 2, routes: /, sticky: c, needs: db,\n"
        "     env: [A=1, B], env_file: [], secrets: s, networks: backend, command: run it}\n"
    )
    long = read(
        "name: shop\n"
        "services:\n"
        "  db: {image: a}\n"
        "  web:\n"
        "    {image: a, build: {context: .}, port: 80, replicas: {initial: 2},\n"
        "     routes: [{path: /}], sticky: {name: c}, needs: [db], env: {A: 1, B: }, \n"
        "     secrets: [{name: s}], networks: [backend], command: run it}\n"
    )
    assert short == long


def test_extensions_are_the_users() -> None:
    """`x-*` is let through everywhere, with whatever is in it."""
    stack = read(
        "x-a: {b: '${NOT_SET}', c: }\n"
        "name: shop\n"
        "services:\n"
        "  web: {image: a, port: 80, x-b: , routes: [{path: /, x-c: 1}], env: {x-d: $$1}}\n"
    )
    assert stack.services["web"].env == {"x-d": "$1"}


def test_env_wins_over_env_file_and_null_takes_the_environment() -> None:
    """Later files win over earlier ones, `env` over all; what is set nowhere stays None."""
    files = {"one": b"A=1\nB=1\nC=1", "two": b"B=2\nC=2"}
    text = (
        "name: shop\n"
        "services: {web: {image: a, env_file: [one, two], env: {C: 3, D: , E: , F: ''}}}\n"
    )

    def read_file(path: str) -> bytes:
        if path not in files:
            raise FileNotFoundError(2, "No such file or directory")
        return files[path]

    web = read(text, environ={"D": "d"}, read_file=read_file).services["web"]
    assert web.env == {"A": "1", "B": "2", "C": "3", "D": "d", "E": None, "F": ""}
    assert web.env_file == ()


def test_bounds_of_replicas_tell_given_from_default() -> None:
    """A stateful service may leave `replicas` out, though the default maximum is 10."""
    text = "name: shop\nservices: {web: {image: a, stateful: true, ports: ['80:80']}}\n"
    assert read(text).services["web"].replicas.max == 10


# The form for render -------------------------------------------------------------------------

KEPT = """\
name: ${NAME:-shop}
gateway:
  image: traefik:${TAG:-v3.7}
  http: ${HTTP:-8000}
  args: ["--x=${X}", "--y=$$"]
services:
  web:
    image: web:${TAG:-1}
    build: {context: "./${DIR}", args: {A: "${X}"}}
    command: [run, "${X}", "$$HOME"]
    entrypoint: run '${X}
    env: {A: "${X}", B: "$$5", C: }
    env_file: ["${X}.env"]
    ports: ["${PORT}:80", {target: 80, published: "${PORT}"}]
    volumes: ["${DATA:-./data}:/data"]
    labels: {l: "${X}"}
    port: ${WEB_PORT:-80}
    routes: ["/${PATH_:-api}"]
    replicas: ${N:-2}
    secrets: [{name: s, template: "a$$b{secret}"}]
    stop_grace: ${GRACE:-5s}
  api:
    image: api
    env: ["${NAME_:-KEY}=$X", "K=${X}"]
"""


def test_what_passes_through_keeps_its_variables() -> None:
    """`render` writes `${VAR}` where Compose reads it, values elsewhere, and a plain `$` as $$."""
    stack = read(KEPT, environ={"X": "5$", "DIR": "d"}, keep_variables=True)
    web, api = stack.services["web"], stack.services["api"]
    assert stack.name == "shop"
    assert stack.gateway.image == "traefik:${TAG:-v3.7}"
    assert stack.gateway.http == "8000"
    assert stack.gateway.args == ("--x=${X}", "--y=$$")
    assert web.image == "web:${TAG:-1}"
    assert web.build is not None
    assert web.build.context == "./${DIR}"
    assert web.build.args == {"A": "${X}"}
    assert web.command == ("run", "${X}", "$$HOME")
    assert web.entrypoint == "run '${X}"
    assert web.env == {"A": "${X}", "B": "$$5", "C": None}
    assert [file.path for file in web.env_file] == ["${X}.env"]
    assert web.ports == ("${PORT}:80", {"target": 80, "published": "${PORT}"})
    assert web.volumes == ("${DATA:-./data}:/data",)
    assert web.labels == {"l": "${X}"}
    assert (web.port, web.replicas.initial, web.stop_grace) == (80, 2, timedelta(seconds=5))
    assert web.routes[0].path == "/api"
    assert web.secrets[0].template == "a$$b{secret}"
    # A list's name becomes a key, which Compose does not resolve.
    assert api.env == {"KEY": "5$$", "K": "${X}"}


def test_without_it_everything_is_resolved() -> None:
    """A doubled `$` is one, and every variable has its value."""
    text = KEPT.replace("env_file", "x-env_file").replace("run '$", "run $")
    environ = {"X": "5$", "DIR": "d", "PORT": "90-99"}
    web = read(text, environ=environ).services["web"]
    assert web.command == ("run", "5$", "$HOME")
    assert web.env == {"A": "5$", "B": "$5", "C": None}
    assert web.secrets[0].template == "a$b{secret}"
    assert web.ports[0] == "90-99:80"


def test_the_starter_is_accepted_as_it_is() -> None:
    """`msctl init` writes a file that `msctl check` has nothing to say about."""
    stack = read(starter("my-shop"))
    assert stack.name == "my-shop"
    assert [service.kind for service in stack.services.values()] == ["routed", "stateful"]
    assert read(starter("my-shop"), keep_variables=True).gateway.http == "80"
