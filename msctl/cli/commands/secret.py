"""`msctl secret rotate`: give a secret a new value."""

from __future__ import annotations

import click

from msctl.cli import complete
from msctl.cli.group import command as command_named
from msctl.cli.options import shows, waits
from msctl.cli.session import Session, in_session
from msctl.errors import UsageProblem

_ROTATE = "rotate"


@command_named("secret")
@click.argument("action", metavar=_ROTATE, shell_complete=complete.one_of(_ROTATE))
@click.argument("name", shell_complete=complete.secrets)
@shows
@waits
@in_session
def command(
    session: Session,
    action: str,
    name: str,
    *,
    timeout: float | None,
    no_drain: bool,
    dry_run: bool,
) -> None:
    """Give the secret NAME a new random value, and replace every replica that uses it.

    A stateful service keeps a secret in its data: it has to name the command by which it takes a
    new one (`rotate` of the secret in the stack file).

    @USER is the password of somebody whom the gateway asks for one: a new one is in force when this
    ends, and no replica is replaced.
    """
    from msctl.cli import summary
    from msctl.cli.converge import carry_out
    from msctl.cli.progress import By
    from msctl.request import Rotate

    if action != _ROTATE:
        raise UsageProblem(
            f"'{action}' is nothing that msctl does to a secret", hint="msctl secret rotate NAME"
        )
    loaded = session.load()
    engine = session.connect(loaded)
    request = Rotate(name, timeout, not no_drain)
    run = carry_out(session, loaded, engine, request, By.TARGET, dry_run=dry_run)
    if run is None:
        return
    session.ui.say(f"secret {name} has a new value, in {run.seconds:.1f} s", "bold green")
    summary.new_passwords(session, loaded, run)
