"""`msctl rollback`: return to the revision before."""

from __future__ import annotations

import click

from msctl.cli import complete
from msctl.cli.group import command as command_named
from msctl.cli.options import shows, waits
from msctl.cli.session import Session, in_session


@command_named("rollback")
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
    """Return SERVICE to the revision before: its image and its configuration.

    The next `msctl up` moves to the stack file's again.
    """
    from msctl.cli.replacing import replace_replicas
    from msctl.request import Rollback

    request = Rollback(service, timeout=timeout, drain=not no_drain)
    replace_replicas(session, request, dry_run=dry_run)
