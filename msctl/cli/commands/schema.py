"""`msctl schema`: the stack file's JSON Schema."""

from __future__ import annotations

from msctl.cli.group import command as command_named
from msctl.cli.session import Session, in_session


@command_named("schema")
@in_session
def command(session: Session) -> None:
    """Print the stack file's JSON Schema, by which editors check and complete it.

    \b
    msctl schema > stack.schema.json
    and at the top of stack.yaml:
    # yaml-language-server: $schema=stack.schema.json
    """
    from msctl.config.schema import schema

    session.ui.json(schema())
