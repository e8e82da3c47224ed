"""`msctl completion`: the script that makes a shell complete msctl's commands."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem, get_completion_class

from msctl.cli.group import cli
from msctl.cli.group import command as command_named
from msctl.cli.rescue import COMPLETING
from msctl.cli.session import Session, in_session
from msctl.errors import UsageProblem

_SHELLS = ("bash", "zsh", "fish")


def _shells(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    return [CompletionItem(shell) for shell in _SHELLS if shell.startswith(incomplete)]


@command_named("completion")
@click.argument("shell", metavar="SHELL", shell_complete=_shells)
@in_session
def command(session: Session, shell: str) -> None:
    """Print the completion script for bash, zsh or fish.

    \b
    bash: msctl completion bash > ~/.local/share/bash-completion/completions/msctl
    zsh:  msctl completion zsh > a folder of $fpath, as _msctl
    fish: msctl completion fish > ~/.config/fish/completions/msctl.fish
    """
    found = get_completion_class(shell) if shell in _SHELLS else None
    if found is None:
        raise UsageProblem(f"'{shell}' is not a shell that msctl knows ({', '.join(_SHELLS)})")
    session.ui.write(found(cli, {}, "msctl", COMPLETING).source() + "\n")
