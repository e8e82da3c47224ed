"""`msctl down`: remove what is ours."""

from __future__ import annotations

import click

from msctl.cli.group import command as command_named
from msctl.cli.options import shows
from msctl.cli.session import Session, in_session
from msctl.errors import MsctlError, UsageProblem


@command_named("down")
@click.option(
    "-v", "--volumes", is_flag=True, help="Remove the volumes too, with all data in them."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--remove-orphans", is_flag=True, help="Remove the project's foreign containers too.")
@shows
@in_session
def command(
    session: Session, *, volumes: bool, yes: bool, remove_orphans: bool, dry_run: bool
) -> None:
    """Remove the stack: its containers and networks.

    Volumes stay, unless --volumes asks for them too.
    """
    from msctl.cli import summary
    from msctl.cli.converge import carry_out
    from msctl.request import Down

    loaded = session.load()
    engine = session.connect(loaded)
    if volumes and not yes and not dry_run:
        _ask(session, loaded.stack.name, summary.data_volumes(engine.observe()))
    request = Down(volumes=volumes, remove_orphans=remove_orphans)
    run = carry_out(session, loaded, engine, request, dry_run=dry_run)
    if run is not None:
        summary.down(session, loaded, engine, run)


def _ask(session: Session, project: str, volumes: list[str]) -> None:
    if not volumes:
        return
    named = ", ".join(volumes)
    if not session.app.asks():
        raise UsageProblem(
            f"--volumes removes the data of {project} ({named}); nothing was changed",
            hint=f"to do so without being asked: {session.again('down --volumes --yes')}",
        )
    question = f"Remove {project} and its data for good ({named})?"
    if not click.confirm(question, default=False, err=True):
        raise MsctlError("not confirmed; nothing was changed")
