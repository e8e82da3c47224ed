"""The manual page: `make man` writes it to msctl.1, which is installed as share/man/man1/msctl.1.

It is made of the commands' own help, so that both tell the same. A test keeps the committed page
equal to it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from msctl import __version__
from msctl.cli.group import COMMANDS, EXAMPLES, STATUSES, Command, cli

FILE = Path(__file__).with_name("msctl.1")
ENVIRONMENT = (
    ("MSCTL_FILE", "The stack file, where -f names none."),
    ("MSCTL_PROMETHEUS, MSCTL_GATEWAY_API", "URLs of Prometheus and of the gateway's API."),
    ("MSCTL_LOCKS", "The folder of locks, by default ~/.local/state/msctl."),
    ("MSCTL_CONTEXT, MSCTL_NAMESPACE", "As --context and --namespace."),
    ("DOCKER_HOST, DOCKER_CONTEXT, DOCKER_CONFIG", "Which engine, as for docker."),
    ("KUBECONFIG", "Which cluster, as for kubectl."),
    ("NO_COLOR", "No colours."),
)
FILES = (
    ("stack.yaml", "The stack file: in the working folder or one above, else in compose/."),
    (".env", "Beside it: values of ${VAR}."),
    (".msctl/", "Beside it: secrets, passwords, and the stack's own authority."),
)


def text() -> str:
    """The page, in man's macros."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    context = click.Context(cli, info_name="msctl", **cli.context_settings)
    yield f'.TH MSCTL 1 "" "msctl {__version__}" "User Commands"'
    yield from (".SH NAME", r"msctl \- run a microservice stack behind Traefik")
    yield from (".SH SYNOPSIS", r".B msctl", r"[OPTIONS] COMMAND [ARGS]...")
    yield from (".SH DESCRIPTION", *_prose(cli.help or ""))
    for title, commands in COMMANDS.items():
        yield f'.SH "{title.upper()} COMMANDS"'
        for name in commands:
            yield from _command(name, context)
    yield from (".SH GLOBAL OPTIONS", "Before or behind the command.")
    yield from _terms(_records(cli.get_params(context), context))
    yield from (".SH EXIT STATUS", *_terms(STATUSES))
    yield from (".SH ENVIRONMENT", *_terms(ENVIRONMENT), ".SH FILES", *_terms(FILES))


def _command(name: str, parent: click.Context) -> Iterator[str]:
    command = cli.get_command(parent, name)
    assert isinstance(command, Command)
    context = click.Context(command, parent=parent, info_name=name)
    usage = " ".join(command.collect_usage_pieces(context))
    yield f'.SS "{_plain(f"msctl {name} {usage}")}"'
    yield from _prose(command.help or "")
    own = [param for param in command.params if param not in command.shared]
    yield from _terms(_records(own, context))
    yield from (".PP", ".nf", *(_plain(f"    {e}") for e in EXAMPLES[name].split("; ")), ".fi")


def _records(
    params: Iterable[click.Parameter], context: click.Context
) -> Iterator[tuple[str, str]]:
    for param in params:
        record = param.get_help_record(context)
        if isinstance(param, click.Option) and record is not None:
            yield record


def _terms(records: Iterable[tuple[str, str]]) -> Iterator[str]:
    for term, meaning in records:
        yield from (".TP", f".B {_plain(term)}", _plain(meaning))


def _prose(help_text: str) -> Iterator[str]:
    """Paragraphs; those that click shall not fill (`\\b`) stay as they are."""
    for paragraph in inspect.cleandoc(help_text).split("\n\n"):
        lines = [_plain(line) for line in paragraph.replace("\b\n", "").splitlines()]
        kept = "\b" in paragraph
        yield from (".PP", *[".nf"] * kept, *lines, *[".fi"] * kept)


def _plain(line: str) -> str:
    """A line that says what it says, without a macro in it."""
    escaped = line.replace("\\", r"\e").replace("-", r"\-")
    return re.sub(r"^([.'])", r"\\&\1", escaped.replace('"', r"\(dq"))


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
