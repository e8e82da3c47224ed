"""`msctl status`: the health of every replica."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import click

from msctl.cli import complete
from msctl.cli.group import command as command_named
from msctl.cli.session import Session, in_session
from msctl.data import write_json
from msctl.errors import EngineUnreachable
from msctl.frozen import dataclass

if TYPE_CHECKING:
    from msctl.assessment import Status
    from msctl.cli.app import App
    from msctl.config import LoadedStack
    from msctl.engines.base import Engine

_INTERVAL = 1.0
"""Seconds from one look of --watch to the next."""
_PATIENCE = 3.0
"""Seconds after which a look of --watch is late; what it asks has 2 s each."""


@command_named("status")
@click.argument("service", required=False, shell_complete=complete.members)
@click.option("--load", is_flag=True, help="CPU, memory, requests, latency and errors too.")
@click.option("--watch", is_flag=True, help="Look every second, with the load, until Ctrl-C.")
@in_session
def command(session: Session, service: str | None, *, load: bool, watch: bool) -> int:
    """Show the health of every replica: engine, health check and gateway at once.

    Ends with status 1 when something is degraded. CPU is of a replica's limit; requests, latency
    and errors are those of the last minute, from Prometheus.
    """
    loaded = session.load()
    if service is not None:
        session.known(loaded, [service])
    engine = session.connect(loaded)
    if watch:
        return _watch(session, loaded, engine, service)
    status = look(session, loaded, engine, service, load=load)
    if session.options.json:
        write_json(status.record())  # without the terminal, which takes long to load
    else:
        from msctl.cli.status_view import view

        now = session.app.now()
        session.ui.show(view(status, now=now, alone=service is not None, load=load))
    return 0 if status.healthy else 1


def look(
    session: Session,
    loaded: LoadedStack,
    engine: Engine,
    service: str | None = None,
    *,
    load: bool = False,
) -> Status:
    """How the stack is now, or one service of it."""
    from msctl.assessment.assess import assess, has_pins
    from msctl.cli.readings import gathering

    with gathering(session, loaded.stack, engine, load=load) as asked:
        lock = session.lock(engine, loaded.stack.name)
        holder = lock.holder() if lock.signed else None
        state = engine.observe(detail=True)
        if holder is None and has_pins(state):
            holder = lock.holder()  # who began meanwhile, or could not sign
        readings = asked.readings(state)
    status = assess(
        loaded.stack,
        state,
        engine=engine.name,
        hashes=_hashes(loaded),
        folder=str(loaded.folder),
        again=session.again,
        holder=(f"{holder.command} (pid {holder.pid})", holder.since) if holder else None,
        readings=readings,
    )
    return status if service is None else status.only(service)


def _hashes(loaded: LoadedStack) -> Mapping[str, str]:
    """The configuration hash that the file asks for, by service; none where Docker Compose has no
    form for the file, as another engine may."""
    from msctl.render.canonical import canonical
    from msctl.render.canonical.confighash import config_hash
    from msctl.render.compose import document

    stack = loaded.stack
    try:
        whole = canonical(document(stack), working_dir=str(loaded.folder), project=stack.name)
    except ValueError:
        return {}
    return {name: config_hash(service) for name, service in whole["services"].items()}


@dataclass(frozen=True)
class _Seen:
    """The last look that came, and why there is no newer one."""

    status: Status
    at: datetime
    trouble: str | None = None


def _seen(app: App, work: Callable[[], Status]) -> Iterator[_Seen]:
    """One look a second. Of what takes longer than `_PATIENCE`, or finds no engine, the last one
    is told again, with the reason.

    Raises:
        EngineUnreachable: the first look found none.
    """
    from msctl.deadline import Job

    found: _Seen | None = None
    job: Job[Status] | None = None
    while True:
        began = app.clock()
        job = job or Job(work)
        if job.ends(_PATIENCE if found else None):
            try:
                found = _Seen(job.result(), app.now())
            except EngineUnreachable as error:
                if found is None:
                    raise
                found = replace(found, trouble=error.message)
            job = None
        elif found:
            found = replace(found, trouble="the engine has not answered since")
        if found:
            yield found
        app.sleep(max(0.0, _INTERVAL - (app.clock() - began)))


def _watch(session: Session, loaded: LoadedStack, engine: Engine, service: str | None) -> int:
    """A live screen, or a record for each look, until Ctrl-C."""
    from msctl.cli.status_view import view

    app, ui = session.app, session.ui
    looks = _seen(app, lambda: look(session, loaded, engine, service, load=True))
    try:
        if session.options.json:
            for seen in looks:
                if seen.trouble is None:  # what is not known has no record
                    ui.json(seen.status.record(), indent=None)
            return 0
        with ui.screen() as draw:
            for seen in looks:
                stale = f"as of {seen.at:%H:%M:%S}: {seen.trouble}" if seen.trouble else None
                alone = service is not None
                draw(
                    view(
                        seen.status,
                        now=app.now(),
                        alone=alone,
                        load=True,
                        room=ui.height,
                        stale=stale,
                    )
                )
    except KeyboardInterrupt:
        return 130  # the way to end it, not worth a message
    return 0
