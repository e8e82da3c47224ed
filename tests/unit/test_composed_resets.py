"""`!reset` and `!override` take away and replace what they do for the real Docker Compose: in the
files of `-f` and of COMPOSE_FILE, in an override, and over what a service extends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from msctl.importing import composed

COMPOSE = Path(sys.executable).with_name("docker-compose")
CASES = {
    "all of a key": (
        "services: {web: {image: i, environment: {A: '1'}, cap_add: [X], tty: true}}",
        "services: {web: {environment: !reset null, cap_add: !reset [X], tty: !reset true}}",
    ),
    "one of several": (
        "services: {web: {image: i, environment: {A: '1', B: '2'}, labels: {a: '1', b: '2'}}}",
        "services: {web: {environment: {A: !reset null, C: '3'}, labels: {a: !reset null}}}",
    ),
    "a whole service": (
        "services: {web: {image: i}, gone: {image: j}}",
        "services: {gone: !reset {}, web: !override {image: k, user: '1'}}",
    ),
    "what a later file sets again": (
        "services: {web: {image: i, environment: {A: '1'}, cap_add: [X]}}",
        "services: {web: {environment: !reset null, cap_add: !override [Y]}}",
        "services: {web: {environment: {B: '2'}, cap_add: [Z]}}",
    ),
    "what was not there": (
        "services: {web: {image: i}}",
        "services: {web: {environment: !reset null, labels: {a: !reset null}, dns: !reset []}}",
    ),
    "over what is extended": (
        "services: {b: {image: i, environment: {A: '1', B: '2'}, cap_add: [X], labels: {a: '1'}},"
        " web: {extends: b, environment: {A: !reset null, C: '3'}, cap_add: !override [Y],"
        " labels: !reset null}}",
    ),
    "in a chain of extensions": (
        "services: {a: {image: i, cap_add: [A], labels: {x: '1'}}, b: {extends: a, cap_add: !reset"
        " null}, web: {extends: b, cap_add: [B]}}",
    ),
    "what is extended, later": (
        "services: {b: {image: i, cap_add: [X]}, web: {extends: b}}",
        "services: {b: {cap_add: !reset null}}",
    ),
    "the extension itself": (
        "services: {b: {image: i, cap_add: [X]}, web: {image: j, extends: b}}",
        "services: {web: {extends: !reset null}}",
    ),
    "by an alias": (
        "services: {web: {image: i, environment: {A: '1'}, labels: {b: c}}}",
        "x-no: &no !reset null\nx-q: &q !override {Q: '3'}\n"
        "services: {web: {labels: *no, environment: *q}}",
    ),
    "by a merge key": (
        "services: {web: {image: i, environment: {A: '1', B: '2'}}}",
        "x-c: &c {environment: !override {C: '3'}}\nservices: {web: {<<: *c}}",
    ),
    "within what is replaced": (
        "services: {web: {image: i, environment: {A: '1'}, command: [a], entrypoint: [b]}}",
        "services: {web: {environment: !override {}, command: !reset null, entrypoint: !override"
        " [c]}}",
    ),
}
KEYS = ("image", "environment", "labels", "cap_add", "tty", "user", "command", "entrypoint", "dns")


def told(services: Any) -> dict[str, dict[str, Any]]:
    return {
        name: {key: service[key] for key in KEYS if service.get(key)}
        for name, service in services.items()
    }


@pytest.mark.parametrize("name", CASES)
def test_what_is_reset_is_what_docker_compose_resets(name: str, tmp_path: Path) -> None:
    """Of every place and in every way that has an effect there."""
    files = [f"{number}.yml" for number in range(len(CASES[name]))]
    for file, text in zip(files, CASES[name], strict=True):
        (tmp_path / file).write_text(text)
    done = subprocess.run(
        [COMPOSE, "-p", "p", "config", "--format", "json"],
        cwd=tmp_path, env={"COMPOSE_FILE": ":".join(files)}, capture_output=True, check=True,
    )  # fmt: skip
    found = composed(files, lambda file: (tmp_path / file).read_bytes(), {}.get)
    assert found.lost == ()
    assert told(found.document.value["services"]) == told(json.loads(done.stdout)["services"])
