"""`msctl up`: converge to the stack file."""

from __future__ import annotations

import click

from msctl.cli import complete
from msctl.cli.group import command as command_named
from msctl.cli.options import shows, waits
from msctl.cli.session import Session, in_session


@command_named("up")
@click.argument("services", metavar="[SERVICE]...", nargs=-1, shell_complete=complete.members)
@click.option("--build", is_flag=True, help="Build every image that has a build.")
@click.option("--pull", is_flag=True, help="Pull every image, stand-ins too.")
@click.option("--reset-scale", is_flag=True, help="Return to the file's number of replicas.")
@click.option("--remove-orphans", is_flag=True, help="Remove the project's foreign containers too.")
@shows
@waits
@in_session
def command(
    session: Session,
    services: tuple[str, ...],
    *,
    build: bool,
    pull: bool,
    dry_run: bool,
    timeout: float | None,
    reset_scale: bool,
    remove_orphans: bool,
    no_drain: bool,
) -> None:
    """Start the stack, or bring it to what the file says.

    Creates what is missing, updates what changed, removes what left the file, and waits until
    every replica is healthy and the gateway sends it requests. Replicas of a manual scale stay.

    With SERVICEs, only these are updated; what they need is started.
    """
    from msctl.cli import summary
    from msctl.cli.commands.render import tell_elsewhere, tell_stale
    from msctl.cli.converge import carry_out
    from msctl.request import Up

    loaded = session.load()
    engine = session.connect(loaded)
    request = Up(
        services=session.known(loaded, services),
        build=build,
        pull=pull,
        reset_scale=reset_scale,
        remove_orphans=remove_orphans,
        timeout=timeout,
        drain=not no_drain,
        dry_run=dry_run,
    )
    tell_stale(session, loaded)
    if engine.on_host:
        tell_elsewhere(session, loaded)
    run = carry_out(session, loaded, engine, request, dry_run=dry_run)
    if run is None:
        return
    summary.up(session, loaded, engine, run, services)
