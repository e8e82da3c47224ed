"""`--help` of every command: what it does, each option, an example, and what it ends with."""

from __future__ import annotations

import shlex

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
