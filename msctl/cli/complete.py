"""Completion of service names in the shell."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from msctl.cli.session import session_of


def services(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """The services of the stack file that begin like this; none where there is no such file.

    Only their names are read, so that a file with errors completes too.
    """
    import yaml

    from msctl.errors import MsctlError

    try:
        names = _names(session_of(ctx).file)
    except (MsctlError, OSError, ValueError, yaml.YAMLError):
        return []
    taken = {word for value in ctx.params.values() if isinstance(value, tuple) for word in value}
    found = [name for name in names if name.startswith(incomplete) and name not in taken]
    return [CompletionItem(name) for name in found]


def _names(file: Path) -> list[str]:
    import yaml

    with file.open(encoding="utf-8") as text:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        document = yaml.load(text, Loader=loader)
    found = document.get("services") if isinstance(document, dict) else None
    return [str(name) for name in found] if isinstance(found, dict) else []
