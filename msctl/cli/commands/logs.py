"""`msctl logs`: what the services write, merged."""

from __future__ import annotations

import click

from msctl.cli import complete
from msctl.cli.group import command as command_named
from msctl.cli.session import Session, in_session


@command_named("logs")
@click.argument("services", metavar="[SERVICE]...", nargs=-1, shell_complete=complete.members)
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option(
    "-n", "--tail", type=click.IntRange(min=0), metavar="N", help="Last N lines of each only."
)
@click.option("--no-prefix", is_flag=True, help="Leave out the replica's name.")
@in_session
def command(
    session: Session, services: tuple[str, ...], *, follow: bool, tail: int | None, no_prefix: bool
) -> int | None:
    """Show what the services write, merged by time; all of them when none is named.

    Terminal escapes in it are taken out.
    """
    from msctl.views import neutral

    loaded = session.load()
    named = session.known(loaded, services)
    engine = session.connect(loaded)
    ui, project = session.ui, loaded.stack.name
    width = max((len(f"{name}-1") for name in named or loaded.stack.services), default=0)
    try:
        for line in engine.logs(named, follow=follow, tail=tail):
            if session.options.json:
                at = line.at.isoformat() if line.at else None
                record = {"replica": line.replica, "at": at, "text": line.text}
                ui.json(record, indent=None)
            elif no_prefix:
                ui.write(f"{neutral(line.text)}\n")
            else:
                name = line.replica.removeprefix(f"{project}-").removeprefix(f"{project}_")
                width = max(width, len(name))
                ui.prefixed(name, width, line.text, at_once=follow)
    except KeyboardInterrupt:
        return 130  # the way to end --follow, not worth a message
    return None
