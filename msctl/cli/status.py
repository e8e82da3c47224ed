"""`msctl status`: the health of every replica."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from msctl.cli import complete
from msctl.cli.group import command as command_named
from msctl.cli.session import Session, in_session

if TYPE_CHECKING:
    from msctl.config import LoadedStack
    from msctl.engines.base import Engine
    from msctl.status import Status

_INTERVAL = 2.0
"""Seconds between two looks of --watch."""


@command_named("status")
@click.argument("service", required=False, shell_complete=complete.services)
@click.option("--watch", is_flag=True, help="Look again and again, until Ctrl-C.")
@in_session
def command(session: Session, service: str | None, *, watch: bool) -> int:
    """Show the health of every replica: engine, health check and gateway at once.

    Ends with status 1 when something is degraded.
    """
    loaded = session.load()
    if service is not None:
        session.known(loaded, [service])
    engine = session.connect(loaded)
    if watch:
        return _watch(session, loaded, engine, service)
    status = look(session, loaded, engine, service)
    if session.options.json:
        session.ui.json(status.record())
    else:
        from msctl.cli.status_view import view

        session.ui.show(view(status, now=session.app.now(), alone=service is not None))
    return 0 if status.healthy else 1


def look(
    session: Session, loaded: LoadedStack, engine: Engine, service: str | None = None
) -> Status:
    """How the stack is now, or one service of it."""
    from msctl.status import assess

    holder = session.lock(engine, loaded.stack.name).holder()
    status = assess(
        loaded.stack,
        engine.observe(detail=True),
        engine=engine.name,
        hashes=_hashes(loaded),
        folder=str(loaded.folder),
        again=session.again,
        holder=(f"{holder.command} (pid {holder.pid})", holder.since) if holder else None,
    )
    return status if service is None else status.only(service)


def _hashes(loaded: LoadedStack) -> Mapping[str, str]:
    """The configuration hash that the file asks for, by service."""
    from msctl.render.canonical import canonical
    from msctl.render.compose import document
    from msctl.render.confighash import config_hash

    stack = loaded.stack
    whole = canonical(document(stack), working_dir=str(loaded.folder), project=stack.name)
    return {name: config_hash(service) for name, service in whole["services"].items()}


def _watch(session: Session, loaded: LoadedStack, engine: Engine, service: str | None) -> int:
    from msctl.cli.status_view import view

    try:
        if session.options.json:
            while True:
                status = look(session, loaded, engine, service)
                session.ui.json(status.record(), indent=None)
                session.app.sleep(_INTERVAL)
        with session.ui.screen() as draw:
            while True:
                now = session.app.now()
                status = look(session, loaded, engine, service)
                draw(view(status, now=now, alone=service is not None))
                session.app.sleep(_INTERVAL)
    except KeyboardInterrupt:
        return 130  # the way to end it, not worth a message
