"""`msctl restart`: replace every replica by a copy of itself."""

from __future__ import annotations

import click

from msctl.cli import complete
from msctl.cli.group import command as command_named
from msctl.cli.options import shows, waits
from msctl.cli.session import Session, in_session


@command_named("restart")
@click.argument("service", shell_complete=complete.members)
@shows
@waits
@in_session
def command(
    session: Session,
    service: str,
    *,
    timeout: float | None,
    no_drain: bool,
    dry_run: bool,
) -> None:
    """Replace every replica of SERVICE by a copy of itself, without losing a request.

    An edited stack file is not deployed.
    """
    from msctl.cli.replacing import replace_replicas
    from msctl.request import Restart

    request = Restart(service, timeout=timeout, drain=not no_drain)
    replace_replicas(session, request, dry_run=dry_run)
