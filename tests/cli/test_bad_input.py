"""Bad input ends with status 2, one message with what, where and what to type, and no change."""

from __future__ import annotations

from typing import Any

import pytest
from terminal import Terminal

WEB = "name: shop\nservices:\n  web:\n    image: web:1\n"
LAUGHS = "a0: &a0 [x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 7)
)

FILES: list[Any] = [
    pytest.param(
        WEB + "    rutes: [/]\n",
        ["bad.yaml:5: services.web: unknown key 'rutes'; did you mean 'routes'?"],
        id="misspelt key",
    ),
    pytest.param(
        WEB + "    replicas: [1]\n",
        [
            "bad.yaml:5: services.web.replicas: a list is not a mapping of keys to values, "
            "such as {initial: …}"
        ],
        id="wrong type",
    ),
    pytest.param(
        WEB + "    port: 99999\n",
        ["bad.yaml:5: services.web.port: 99999 is not a port (1-65535)"],
        id="port",
    ),
    pytest.param(
        WEB + "    port: 80\n    routes: [/a]\n  api: {image: api, port: 80, routes: [/a]}\n",
        ["bad.yaml:7: services.api.routes[0]: /a is already routed by services.web.routes[0]"],
        id="two services with one route",
    ),
    pytest.param(
        WEB + "    routes: [/]\n",
        [
            "bad.yaml:5: services.web.routes: routes need port, the container's port that they "
            "lead to"
        ],
        id="route without port",
    ),
    pytest.param(
        WEB + "    needs: [dbb]\n  db: {image: db}\n",
        ["bad.yaml:5: services.web.needs[0]: there is no service dbb; did you mean 'db'?"],
        id="need of a missing service",
    ),
    pytest.param(
        WEB + "    needs: [api]\n  api: {image: api, needs: [web]}\n",
        ["bad.yaml:5: services.web.needs[0]: needs go in a circle: web -> api -> web"],
        id="needs in a circle",
    ),
    pytest.param(
        WEB + "    resources: {memory: lots}\n",
        ["bad.yaml:5: services.web.resources.memory: lots is not a size (such as 512M or 1G)"],
        id="size",
    ),
    pytest.param(
        WEB + "    health: {path: /h, interval: soon}\n",
        [
            "bad.yaml:5: services.web.health.interval: soon is not a duration (such as 10s, 1m30s "
            "or 500ms; at most a year)"
        ],
        id="duration",
    ),
    pytest.param(
        WEB + "    resources: {cpus: 64}\n",
        ["error: services.web.resources.cpus: 64 is more than the 8 CPUs of the machine"],
        id="more CPUs than the machine has",
    ),
    pytest.param(
        WEB + "    image: web:2\n",
        ["bad.yaml:5: services.web: key image is given twice; first in line 4"],
        id="duplicate key",
    ),
    pytest.param(
        "name: [shop\nservices:\n",
        [
            "bad.yaml:2: not valid YAML at column 9: the list that starts in line 1 lacks a ',' or "
            "its ']'"
        ],
        id="YAML that does not parse",
    ),
    pytest.param("", ["bad.yaml:1: the file is empty; `msctl init` writes a starter"], id="empty"),
    pytest.param(
        "- name: shop\n",
        ["bad.yaml:1: the file is a list, not a mapping with name: and services:"],
        id="a list",
    ),
    pytest.param(
        "\0\1\2",
        ["bad.yaml:1: holds the character U+0000, which YAML does not allow"],
        id="binary",
    ),
    pytest.param(
        LAUGHS,
        ["bad.yaml:1: a5[8][3][6]: more than 200000 values once every alias is expanded"],
        id="nested aliases",
    ),
    pytest.param(
        WEB + "    env: {KEY: '${NOT_SET}'}\n",
        [
            "bad.yaml:5: services.web.env.KEY: variable NOT_SET is not set; set it in the "
            "environment or in .env beside the file, or write ${NOT_SET:-default}, or $$ for a "
            "plain $"
        ],
        id="unset variable",
    ),
    pytest.param(
        WEB + "    replicas: {initial: 1, min: 2}\n",
        ["bad.yaml:5: services.web.replicas: initial 1 is less than min 2"],
        id="replicas outside their bounds",
    ),
    pytest.param(
        WEB + "    autoscale: {min: 3, max: 2}\n",
        ["bad.yaml:5: services.web.autoscale: min 3 is more than max 2"],
        id="autoscale upside down",
    ),
    pytest.param(
        WEB + "autoscaler: {enabled: true}\n",
        [
            "bad.yaml:5: autoscaler.enabled: no service has autoscale, so that there is nothing to "
            "go by"
        ],
        id="an autoscaler of nothing",
    ),
    pytest.param(
        WEB + "    port: 99999\n    rutes: [/]\n    needs: [nope]\n",
        [
            "bad.yaml:5: services.web.port: 99999 is not a port (1-65535)",
            "bad.yaml:6: services.web: unknown key 'rutes'; did you mean 'routes'?",
            "bad.yaml:7: services.web.needs[0]: there is no service nope",
        ],
        id="all at once",
    ),
]


@pytest.mark.parametrize(("text", "lines"), FILES)
def test_a_bad_file_is_refused_with_every_problem(
    shop: Terminal, text: str, lines: list[str]
) -> None:
    """Each problem is named with file, line and path, and the running stack is left alone."""
    before = shop.world.snapshot()
    shop.write(text, "bad.yaml")
    answer = shop.msctl("-f", "bad.yaml", "up")
    assert (answer.status, answer.out, answer.lines) == (2, "", lines)
    assert shop.world.snapshot() == before


@pytest.mark.parametrize("command", ["check", "up", "down", "status", "routes", "logs", "render"])
def test_every_command_refuses_a_bad_file(shop: Terminal, command: str) -> None:
    """A file with an error is refused by whatever reads it, in the same words."""
    before = shop.world.snapshot()
    shop.write(WEB + "    port: 99999\n")
    answer = shop.msctl(command)
    assert answer.status == 2
    assert answer.err == "stack.yaml:5: services.web.port: 99999 is not a port (1-65535)\n"
    assert shop.world.snapshot() == before


NOT_A_SERVICE = "error: wbe is not a service of shop; did you mean 'web'?"
BOUNDS_HINT = "hint: to allow it, change services.api.replicas in the stack file"
ARGUMENTS: list[tuple[list[str], list[str]]] = [
    (["up", "wbe"], [NOT_A_SERVICE]),
    (["scale", "wbe", "2"], [NOT_A_SERVICE]),
    (["status", "wbe"], [NOT_A_SERVICE]),
    (["logs", "wbe"], [NOT_A_SERVICE]),
    (["scale", "api", "0"], ["error: api: 0 replicas are outside 1 to 10", BOUNDS_HINT]),
    (["scale", "api", "11"], ["error: api: 11 replicas are outside 1 to 10", BOUNDS_HINT]),
    (["scale", "api", "-1"], ["error: api: -1 replicas are outside 1 to 10", BOUNDS_HINT]),
    (["scale", "all", "11"], ["error: api: 11 replicas are outside 1 to 10", BOUNDS_HINT]),
    (
        ["scale", "api", "x"],
        ["error: api: 'x' is not a number of replicas (a whole number, 1 to 10)"],
    ),
    (
        ["scale", "api", "2.5"],
        ["error: api: '2.5' is not a number of replicas (a whole number, 1 to 10)"],
    ),
    (["scale", "db", "2"], ["error: db cannot be scaled: it is stateful"]),
    (
        ["scale", "traefik", "2"],
        ["error: traefik is the gateway: it has one replica and is not scaled"],
    ),
    (
        ["--engine", "swarm", "up"],
        ["error: --engine: swarm is not an engine (compose, kubernetes)"],
    ),
    (
        ["-p", "Bad Name", "up"],
        [
            "error: -p/--project: 'Bad Name' is not a project name (lower-case letters, digits, - "
            "and _, first a letter or digit)"
        ],
    ),
    (
        ["-f", "nope.yaml", "up"],
        [
            "error: -f/--file: nope.yaml: no such file",
            "hint: `msctl -f nope.yaml init` writes a starter",
        ],
    ),
    (
        ["sttus"],
        ["error: 'sttus' is not a command of msctl; did you mean 'status'?", "hint: msctl --help"],
    ),
    (["up", "--nope"], ["error: No such option '--nope'", "hint: msctl up --help"]),
    (
        ["up", "--timeout", "soon"],
        [
            "error: Invalid value for '--timeout': 'soon' is not a time; write 30, 90s or 1m30s",
            "hint: msctl up --help",
        ],
    ),
    (
        ["down", "--volumes"],
        [
            "error: --volumes removes the data of shop (shop_data, shop_gateway); nothing was "
            "changed",
            "hint: to do so without being asked: msctl down --volumes --yes",
        ],
    ),
    (
        ["completion", "tcsh"],
        ["error: 'tcsh' is not a shell that msctl knows (bash, zsh, fish)"],
    ),
    (
        ["render", "nomad"],
        ["error: 'nomad' cannot be rendered; msctl renders compose and kubernetes"],
    ),
    (["init"], [
        "error: stack.yaml exists; nothing was changed",
        "hint: msctl check checks it; -f NAME writes to another file",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("words", "lines"), ARGUMENTS, ids=lambda value: " ".join(value)[:40])
def test_bad_arguments_are_refused(shop: Terminal, words: list[str], lines: list[str]) -> None:
    """Each is told in one message, and neither the stack nor the folder is changed."""
    before, files = shop.world.snapshot(), sorted(shop.folder.rglob("*"))
    answer = shop.msctl(*words)
    assert (answer.status, answer.out, answer.lines) == (2, "", lines)
    assert shop.world.snapshot() == before
    assert sorted(shop.folder.rglob("*")) == files


@pytest.mark.parametrize("words", [["scale"], ["scale", "api"], ["scale", "api=2", "web"]])
def test_an_incomplete_scale_is_refused(shop: Terminal, words: list[str]) -> None:
    """Words that are none of the three forms of `scale` change nothing."""
    before = shop.world.snapshot()
    answer = shop.msctl(*words)
    assert (answer.status, answer.out) == (2, "")
    assert "hint: msctl scale" in answer.err
    assert shop.world.snapshot() == before


def test_without_a_stack_file_it_is_said_how_to_get_one(terminal: Terminal) -> None:
    """Where no file is found, the message says what msctl looked for and what to type."""
    (terminal.folder / "stack.yaml").unlink()
    answer = terminal.msctl("up")
    assert (answer.status, answer.lines) == (
        2,
        [
            "error: no stack.yaml here, in a folder above, or in compose/",
            "hint: `msctl init` writes one; -f FILE or $MSCTL_FILE names another",
        ],
    )


def test_a_mistake_shows_no_traceback_unless_it_is_asked_for(terminal: Terminal) -> None:
    """`--debug` is the only way to see where in msctl an error arose."""
    assert "Traceback" not in terminal.msctl("up", "wbe").err
    assert "Traceback" in terminal.msctl("--debug", "up", "wbe").err


def test_a_traceback_holds_no_terminal_escapes(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an error quotes reaches the terminal only in neutral form, with `--debug` too."""
    from msctl.cli.session import Session

    def broken(_: Session) -> None:
        raise ValueError("\x1b]0;title\x07\x1b[2Jtext")

    monkeypatch.setattr(Session, "load", broken)
    answer = terminal.msctl("--debug", "check")
    assert "ValueError: text" in answer.err
    assert "\x1b" not in answer.err
