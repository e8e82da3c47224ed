"""Completion of service names in the shell."""

from __future__ import annotations

import re
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
    from msctl.fields import NAME_RULE

    try:
        names = _names(session_of(ctx).file)
    except (MsctlError, OSError, ValueError, yaml.YAMLError):
        return []
    taken = {word for value in ctx.params.values() if isinstance(value, tuple) for word in value}
    # Only what is a name: anything else would be typed, or shown, as it stands.
    found = [name for name in names if name.startswith(incomplete) and name not in taken]
    return [CompletionItem(name) for name in found if re.fullmatch(NAME_RULE, name)]


def _names(file: Path) -> list[str]:
    import yaml

    from msctl.config.files import read_start

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document = yaml.load(read_start(file), Loader=loader)
    found = document.get("services") if isinstance(document, dict) else None
    return [str(name) for name in found] if isinstance(found, dict) else []
