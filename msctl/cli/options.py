"""Options that several commands take; the global ones stand before their names or after them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

import click

from msctl.cli.complete import one_of

_KEY = "msctl.options"
Command = TypeVar("Command", bound=Callable[..., Any])


def seconds(text: str) -> float:
    """A time: `30`, or `1m30s` as in the stack file."""
    from msctl.fields import parse_duration

    plain = text.replace(".", "", 1).isdecimal() and text.isascii()
    try:
        return parse_duration(f"{text}s" if plain else text).total_seconds()
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a time; write 30, 90s or 1m30s") from None


def deadline(text: str) -> float:
    """A time that is not zero."""
    found = seconds(text)
    if not found:
        raise click.BadParameter(f"{text!r} leaves no time at all")
    return found


def waits(command: Command) -> Command:
    """How patient a command is that changes the stack."""
    timeout = click.option("--timeout", type=deadline, metavar="S", help="Deadline of each wait.")
    no_drain = click.option(
        "--no-drain", is_flag=True, help="Do not wait for requests inside what goes."
    )
    return timeout(no_drain(command))


def shows(command: Command) -> Command:
    """A command that can tell what it would do."""
    return click.option("--dry-run", is_flag=True, help="Print the plan and change nothing.")(
        command
    )


def given(ctx: click.Context) -> dict[str, Any]:
    """The global options given so far, by name; what stands behind the command's name wins."""
    found: dict[str, Any] = ctx.meta.get(_KEY, {})
    return found


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value is not None and param.name:
        ctx.meta.setdefault(_KEY, {})[param.name] = value


_OPTIONS: Sequence[tuple[tuple[str, ...], dict[str, Any]]] = (
    (("-f", "--file"), {"metavar": "PATH", "help": "Stack file.", "type": click.Path()}),
    (("-p", "--project"), {"metavar": "NAME", "help": "Project name instead of the file's."}),
    (
        ("--engine",),
        {
            "metavar": "NAME",
            "help": "Engine that runs the stack: compose (default), kubernetes.",
            "shell_complete": one_of("compose", "kubernetes"),
        },
    ),
    (("--context",), {"metavar": "NAME", "help": "Context of the kubeconfig (kubernetes)."}),
    (("--namespace",), {"metavar": "NAME", "help": "Namespace of the stack (kubernetes)."}),
    (("--json",), {"is_flag": True, "help": "Print data as JSON."}),
    (("--no-color",), {"is_flag": True, "help": "No colours (as with NO_COLOR set)."}),
    (("-q", "--quiet"), {"is_flag": True, "help": "Print data, warnings and errors only."}),
    (("--debug",), {"is_flag": True, "help": "Show the traceback of an error."}),
    (
        ("--wait-lock",),
        {"type": seconds, "metavar": "S", "help": "Wait so long while another msctl is at work."},
    ),
)


def global_options(without: Collection[str] = ()) -> list[click.Option]:
    """New options for one command, less the spellings that the command uses itself."""
    return [
        click.Option(
            [spelling for spelling in spellings if spelling not in without],
            callback=_remember,
            expose_value=False,
            default=None,
            **attributes,
        )
        for spellings, attributes in _OPTIONS
    ]
