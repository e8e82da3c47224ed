"""`--help` of every command: what it does, each option, an example, and what it ends with."""

from __future__ import annotations

import os
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


def test_the_exit_statuses_are_those_of_the_errors() -> None:
    """Each number once, in order."""
    numbers = [int(number) for number, _ in STATUSES]
    assert numbers == sorted({*numbers})


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
