"""`msctl check`: whether the stack file is right."""

from __future__ import annotations

from msctl.cli.group import command as command_named
from msctl.cli.session import Session, in_session
from msctl.words import plural


@command_named("check")
@in_session
def command(session: Session) -> None:
    """Say whether the stack file is right, without an engine; if not, every error in it."""
    loaded = session.load()
    stack, file = loaded.stack, session.shown(loaded.path)
    routes = sum(len(service.routes) for service in stack.services.values())
    if session.options.json:
        services = list(stack.services)
        session.ui.json({"file": file, "project": stack.name, "services": services})
        return
    counts = f"{plural(len(stack.services), 'service')}, {plural(routes, 'route')}"
    session.ui.say(f"{file} is right: {stack.name}, {counts}", "green")
