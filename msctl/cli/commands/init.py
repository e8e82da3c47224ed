"""`msctl init`: a stack file to start from."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from msctl.cli.group import command as command_named
from msctl.cli.session import Session, in_session
from msctl.errors import UsageProblem

_FILE = "stack.yaml"
_NAMELESS = "mystack"


@command_named("init")
@in_session
def command(session: Session) -> None:
    """Write a stack file to start from: stack.yaml, or what -f names.

    The project is named after the folder, or as -p says. A file that exists is never overwritten,
    unless it is empty.
    """
    from msctl.config.starter import starter

    path = session.app.cwd / (session.options.file or _FILE)
    name = session.options.project or name_of(path.parent.resolve())
    text = starter(name)
    try:
        mode = "w" if _is_empty(path) else "x"
        with path.open(mode, encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageProblem(
            f"{session.shown(path)} exists; nothing was changed",
            hint="msctl check checks it; -f NAME writes to another file",
        ) from None
    except OSError as error:
        raise UsageProblem(f"cannot write {session.shown(path)}: {error.strerror}") from None
    again = session.again("up")
    session.ui.say(f"{session.shown(path)} is written; edit it, then: {again}", "green")


def _is_empty(path: Path) -> bool:
    return path.is_file() and path.stat().st_size == 0


def name_of(folder: Path) -> str:
    """The folder's name, as far as it can be a project's: `cafe` for `Café`."""
    bare = unicodedata.normalize("NFKD", folder.name.lower())
    letters = "".join(letter for letter in bare if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9_-]+", "-", letters).strip("-_") or _NAMELESS
