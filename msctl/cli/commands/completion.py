"""`msctl completion`: the script that makes a shell complete msctl's commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from msctl.cli.complete import one_of
from msctl.cli.group import cli
from msctl.cli.group import command as command_named
from msctl.cli.rescue import COMPLETING
from msctl.cli.session import Session, in_session
from msctl.errors import UsageProblem

_SHELLS = ("bash", "zsh", "fish")
_PARTED, _PARTED_ONCE = 'string split ","', 'string split --max 1 ","'
"""How click's script for fish parts a kind of completion from its text, which may have a comma."""


@command_named("completion")
@click.argument("shell", metavar="SHELL", shell_complete=one_of(*_SHELLS))
@in_session
def command(session: Session, shell: str) -> None:
    """Print the completion script for bash, zsh or fish.

    \b
    bash: eval "$(msctl completion bash)"      in ~/.bashrc
    zsh:  eval "$(msctl completion zsh)"       in ~/.zshrc, behind compinit
    fish: msctl completion fish | source       in ~/.config/fish/config.fish
    """
    found = get_completion_class(shell) if shell in _SHELLS else None
    if found is None:
        raise UsageProblem(f"'{shell}' is not a shell that msctl knows ({', '.join(_SHELLS)})")
    script = found(cli, {}, "msctl", COMPLETING).source()
    session.ui.write(script.replace(_PARTED, _PARTED_ONCE))
