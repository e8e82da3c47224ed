"""`--help` of every command: what it does, each option, an example, and what it ends with."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from terminal import Terminal

from msctl.cli.group import COMMANDS, EXAMPLES, STATUSES, cli

NAMES = [name for section in COMMANDS.values() for name in section]


@pytest.mark.parametrize("name", NAMES)
def test_help_is_complete(terminal: Terminal, name: str) -> None:
    """Every option has a help of its own, and examples and statuses come behind them."""
    answer = terminal.msctl(name, "--help")
    assert answer.status == 0
    assert answer.out.index("Global options:") < answer.out.index("Examples:")
    assert "another msctl is at work on the stack" in answer.out.partition("Exit status:")[2]
    for example in EXAMPLES[name].split("; "):
        assert f"  {example}\n" in answer.out
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.help
    options = [param for param in command.params if isinstance(param, click.Option)]
    assert [option.opts for option in options if not option.help] == []


@pytest.mark.parametrize("example", [e for text in EXAMPLES.values() for e in text.split("; ")])
def test_examples_can_be_typed(example: str) -> None:
    """The words are understood as they stand."""
    if "$(" in example:
        example = "msctl completion bash"
    words = shlex.split(example.partition(" >")[0])[1:]
    context = cli.make_context("msctl", list(words))
    name, command, rest = cli.resolve_command(context, [*context._protected_args, *context.args])
    assert command is not None
    command.make_context(name, rest, parent=context)


def test_help_is_a_word_too(terminal: Terminal) -> None:
    """`msctl help`, and of a command."""
    assert terminal.msctl("help") == terminal.msctl("--help")
    assert terminal.msctl("help", "up") == terminal.msctl("up", "--help")
    assert "did you mean 'up'" in terminal.msctl("help", "upp").err


def test_the_exit_statuses_are_those_of_the_errors() -> None:
    """Each number once, in order."""
    numbers = [int(number) for number, _ in STATUSES]
    assert numbers == sorted({*numbers})


README = (Path(__file__).parents[2] / "README.md").read_text()
_GLOBAL = README.partition("Options before or after the command:")[2].partition("\n\n")[0]


def options_in(text: str) -> set[str]:
    """The options that a text names."""
    return set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", text))


def options_of(name: str) -> list[set[str]]:
    """The names of each option that a command has for itself."""
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    own = command.commands.values() if isinstance(command, click.Group) else [command]
    shared = {name for param in cli.params for name in param.opts}
    params = [param for one in own for param in one.params if isinstance(param, click.Option)]
    return [set(param.opts) for param in params if not set(param.opts) & (shared - {"-f"})]


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_and_the_help_name_the_same_options(name: str) -> None:
    """In the rows of the README's table of commands: each of the command's, by one of its names,
    and nothing else."""
    rows = [row for row in README.splitlines() if re.match(rf"\| `msctl {name}[ `]", row)]
    told = options_in(" ".join(row.split(" | ")[0] for row in rows))
    assert [names for names in options_of(name) if not names & told] == []
    shared = {name for param in cli.params for name in param.opts}
    assert told <= shared.union(*options_of(name))


def test_the_readme_names_the_options_of_all_commands() -> None:
    """And what they end with."""
    shared = {name for param in cli.params for name in param.opts if name.startswith("--")}
    told = {name for name in options_in(_GLOBAL) if name.startswith("--")}
    assert told == shared - {"--help", "--version"}
    statuses = README.partition("\nExit status:")[2].partition("\n\n")[0]
    assert re.findall(r"\b(\d+) ", statuses) == [number for number, _ in STATUSES]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize("line", ["-f shop.yaml scale", "scale -f shop.yaml", "add x --needs"])
def test_services_are_completed(tmp_path: Path, shell: str, line: str) -> None:
    """Those of the file that the line names, wherever it does."""
    (tmp_path / "shop.yaml").write_text("services: {web: {}, worker: {}, db: {}}")
    (tmp_path / "stack.yaml").write_text("services: {wide: {}, web: {}}")
    words = f"msctl {line} w"
    last = "w" if shell == "fish" else str(len(words.split()) - 1)
    environ = {**os.environ, "_MSCTL_COMPLETE": f"{shell}_complete"}
    ran = subprocess.run(
        [Path(sys.executable).with_name("msctl")],
        cwd=tmp_path,
        env={**environ, "COMP_WORDS": words, "COMP_CWORD": last},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    told = {word.rpartition(",")[2] for word in ran.stdout.split()} - {"plain", "_"}
    assert told == ({"web", "worker"} if "shop.yaml" in line else {"web", "wide"})
