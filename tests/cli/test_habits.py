"""Words of Docker Compose, typed to msctl."""

from __future__ import annotations

import re

import click
import pytest
from terminal import Terminal

from msctl.cli import habits
from msctl.cli.group import cli, command_names


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("ps", "msctl status"),
        ("start web", "msctl up"),
        ("config", "msctl render"),
        ("exec web sh", "msctl render -o docker-compose.yml, then: docker compose exec"),
        ("up -d", "leave it out: `up` ends when all is healthy, and the stack goes on"),
        ("up --scale web=3", "msctl scale SERVICE=N, which the next `up` keeps"),
        ("--project-name shop up", "-p, --project"),
    ],
)
def test_habits_are_told_what_to_type(terminal: Terminal, words: str, hint: str) -> None:
    """Nothing is done, and no word of msctl's that only looks alike is suggested."""
    answer = terminal.msctl(*words.split())
    assert answer.status == 2
    assert answer.lines[1:] == [f"hint: {hint}"]
    assert "mean" not in answer.err


def test_habits_that_are_kept(shop: Terminal) -> None:
    """Short forms that mean the same."""
    assert shop.msctl("logs", "-n", "1").status == 0
    assert shop.msctl("down", "-v", "--yes").status == 0
    assert shop.world.volumes == {}


@pytest.mark.parametrize("word", [*habits._COMMANDS, *habits._COMPOSES])
def test_what_is_suggested_can_be_typed(word: str) -> None:
    """No habit hides a command, and each leads to one."""
    assert word not in command_names()
    name, *options = str(habits.of_command(word)).partition(",")[0].split()[1:]
    if name.startswith("-"):
        return
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    known = {declared for param in command.params for declared in param.opts}
    assert set(re.findall(r"(?<!\S)--?\w+", " ".join(options))) <= known


@pytest.mark.parametrize(("command", "option"), habits._OPTIONS)
def test_no_habit_hides_an_option(command: str, option: str) -> None:
    found = cli if command == "msctl" else cli.get_command(click.Context(cli), command)
    assert found is not None
    assert option not in {declared for param in found.params for declared in param.opts}
