"""`msctl dashboard`: opens a page of the stack, or prints its address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from msctl.addresses import PAGES, page
from msctl.cli.group import command as command_named
from msctl.cli.session import Session, in_session
from msctl.errors import MsctlError

if TYPE_CHECKING:
    from msctl.model import Stack
    from msctl.state import StackState


@command_named("dashboard")
@click.argument("name", type=click.Choice(PAGES), default=PAGES[0])
@click.option("--print", "only_print", is_flag=True, help="Print the address, open nothing.")
@in_session
def command(session: Session, name: str, *, only_print: bool) -> None:
    """Open the gateway's dashboard (traefik), grafana or prometheus in the browser.

    The address is printed too, and nothing more where there is no terminal or no browser.
    """
    loaded = session.load()
    found = page(loaded.stack, name)
    _check_running(session, loaded.stack, session.connect(loaded).observe(), found.service)
    if session.options.json:
        session.ui.json({"name": name, "url": found.url})
        return
    session.ui.write(f"{found.url}\n")
    if not only_print and session.app.browses() and not session.app.browse(found.url):
        session.ui.note("the browser could not be opened")


def _check_running(session: Session, stack: Stack, state: StackState, service: str) -> None:
    from msctl.assessment.problems import is_left_out

    if any(replica.running for replica in state.of(service)):
        return
    known = stack.services.get(service)
    reason = "is not running"
    if known is not None and is_left_out(state, service, known):
        reason = f"is left out of {stack.name}: image {known.image} is not there"
    raise MsctlError(f"{service} {reason}", hint=session.again(f"up {service}"))
