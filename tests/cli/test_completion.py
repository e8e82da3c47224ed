"""Completion in the real shells, as somebody who types sees it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from live.run import MSCTL, until
from live.screen import Screen

from msctl.cli.group import cli
from msctl.cli.rescue import COMPLETING

STACK = """\
services:
  web: {routes: [/], secrets: [token, {name: key}]}
  worker: {autoscale: {cpu: 70%}}
  database: {stateful: true}
"""
PROMPT = "ready>"
SHELLS = {
    "bash": (
        "bash --norc --noprofile -i",
        f"bind 'set bell-style none'; PS1='{PROMPT}'; eval \"$(msctl completion bash)\"",
    ),
    "zsh": (
        "zsh -f -i",
        f"autoload -Uz compinit; compinit -D; PS1='{PROMPT}'; eval \"$(msctl completion zsh)\"",
    ),
    "fish": (
        "fish --no-config -i",
        f"function fish_prompt; echo -n '{PROMPT}'; end; set -g fish_autosuggestion_enabled 0; "
        "msctl completion fish | source",
    ),
}
"""How each is started, and completion is loaded, as `msctl completion --help` says."""
CLEAR = "\x15\x0c"
"""The keys that empty the line and the screen."""
COMPLETED = {
    "msctl sca": "msctl scale",
    "msctl --engine k": "msctl --engine kubernetes",
    "msctl -f oth": "msctl -f other.yaml",
    "msctl up -f other.yaml e": "msctl up -f other.yaml elsewhere",
    "msctl metrics w": "msctl metrics web",
    "msctl restart tr": "msctl restart traefik",
    "msctl scale web=3 w": "msctl scale web=3 worker",
    "msctl secret rotate t": "msctl secret rotate token",
    "msctl add search --build sea": "msctl add search --build searchservice",
}
"""Commands, words, files, services, secrets and folders, as typed and with the Tab key."""
SAID = "Print the stack file's JSON Schema, for editors."


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("scale ", ["web", "worker", "all"]),
        ("scale web ", []),
        ("scale web 3 ", []),
        ("scale web=", []),
        ("scale web=3 ", ["worker"]),
        ("scale web = 3 ", ["worker"]),
        ("scale web = 3 worker ", []),
        ("logs ", ["web", "worker", "database", "traefik"]),
        ("logs web t", ["traefik"]),
        ("load-test ", ["web"]),
        ("autoscale ", ["worker"]),
        ("secret ", ["rotate"]),
        ("secret rotate ", ["token", "key"]),
        ("render ", ["compose", "kubernetes"]),
        ("-f broken.yaml up ", []),
        ("-f list.yaml secret rotate ", []),
    ],
)
def test_what_is_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, offered: list[str]
) -> None:
    """What the command takes and is not there yet; nothing where a number is to be typed, which
    bash parts from its service. A file that is wrong is no error."""
    (tmp_path / "stack.yaml").write_text(STACK)
    (tmp_path / "broken.yaml").write_text("services: {web: [")
    (tmp_path / "list.yaml").write_text("services: {web: [], worker: {secrets: token}}")
    monkeypatch.chdir(tmp_path)
    *typed, incomplete = words.split(" ")
    found = ShellComplete(cli, {}, "msctl", COMPLETING).get_completions(typed, incomplete)
    assert [item.value for item in found] == offered


def waited(screen: Screen, seen: Callable[[list[str]], bool], what: str) -> None:
    """Until the screen shows it."""
    try:
        until(lambda: seen(screen.lines), 30, what)
    except AssertionError as error:
        raise AssertionError("\n".join([str(error), *screen.lines])) from None


def press(screen: Screen, keys: str) -> None:
    """At an empty prompt."""
    screen.type(CLEAR)
    waited(screen, lambda lines: lines == [PROMPT], "an empty line")
    screen.type(keys)


@pytest.mark.parametrize("name", SHELLS)
def test_tab(tmp_path: Path, name: str) -> None:
    """It completes, and lists what begins alike; zsh and fish say what each command does."""
    command, load = SHELLS[name]
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    (tmp_path / "stack.yaml").write_text(STACK)
    (tmp_path / "other.yaml").write_text("services: {elsewhere: {}}")
    (tmp_path / "searchservice").mkdir()
    path = f"{Path(MSCTL).parent}{os.pathsep}{os.environ['PATH']}"
    environ = {"PATH": path, "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    with Screen(command.split(), tmp_path, environ, columns=100, lines=40) as screen:
        screen.type(f"{load}\n")
        waited(screen, lambda lines: lines[-1] == PROMPT, "a prompt")
        for typed, completed in COMPLETED.items():
            press(screen, f"{typed}\t")
            line = f"{PROMPT}{completed}"
            waited(screen, lambda lines, line=line: lines[0].startswith(line), completed)
        press(screen, "msctl sc\t\t")
        listed = ["scale", "schema", *([] if name == "bash" else [SAID])]
        waited(screen, lambda lines: all(w in "\n".join(lines[1:]) for w in listed), "a list")
