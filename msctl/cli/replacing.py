"""What `rollout`, `rollback` and `restart` share."""

from __future__ import annotations

from msctl.cli import summary
from msctl.cli.converge import carry_out
from msctl.cli.progress import By
from msctl.cli.session import Session
from msctl.model import GATEWAY
from msctl.request import Restart, Rollback, Rollout


def replace_replicas(
    session: Session, request: Rollout | Rollback | Restart, *, dry_run: bool
) -> None:
    """Replace the replicas of one service, and show what it has now.

    Raises:
        MsctlError: a replica did not become healthy; the old ones have served all along.
    """
    loaded = session.load()
    session.known(loaded, (request.service,))
    engine = session.connect(loaded)
    run = carry_out(session, loaded, engine, request, By.TARGET, dry_run=dry_run)
    if run is None:
        return
    if request.service == GATEWAY:
        session.ui.say(f"the gateway was replaced in {run.seconds:.1f} s", "bold green")
    else:
        summary.scale(session, loaded, engine, run, (request.service,))
