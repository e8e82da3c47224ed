"""`msctl rollout`: replace every replica of a service."""

from __future__ import annotations

import click

from msctl.cli import complete
from msctl.cli.group import command as command_named
from msctl.cli.options import shows, waits
from msctl.cli.session import Session, in_session


@command_named("rollout")
@click.argument("service", shell_complete=complete.members)
@click.option("--image", metavar="REF", help="Another image than the file's, until the next up.")
@click.option("--build", is_flag=True, help="Build the image first.")
@shows
@waits
@in_session
def command(
    session: Session,
    service: str,
    *,
    image: str | None,
    build: bool,
    timeout: float | None,
    no_drain: bool,
    dry_run: bool,
) -> None:
    """Replace every replica of SERVICE by what the stack file says.

    New replicas start and become healthy before old ones go, and no request is lost. Where a new
    one does not become healthy, it goes again, and the old ones have served all along.
    """
    from msctl.cli.replacing import replace_replicas
    from msctl.request import Rollout

    if image is not None and build:
        raise click.UsageError("--image and --build exclude each other")
    request = Rollout(service, image=image, build=build, timeout=timeout, drain=not no_drain)
    replace_replicas(session, request, dry_run=dry_run)
