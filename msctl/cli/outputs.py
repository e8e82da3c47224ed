"""Files that a command writes where the operator says."""

from __future__ import annotations

import os
from pathlib import Path

from msctl.cli.session import Session
from msctl.errors import StepFailed, UsageProblem
from msctl.files import wholefile
from msctl.shellwords import quoted


def output_path(session: Session, option: str, output: str, *, name: str) -> Path:
    """Where to write; `name` is suggested where a folder was named.

    Raises:
        UsageProblem: no file can be there.
    """
    path = (session.app.cwd / output).resolve()
    if path.is_dir():
        inside = quoted(f"{output.rstrip('/')}/{name}")
        hint = f"name the file: {inside}"
        raise UsageProblem(f"{option} {output} is a folder", hint=hint)
    if not path.parent.is_dir():
        folder = session.shown(path.parent)
        raise UsageProblem(
            f"{option} {output}: there is no folder {folder}", hint=f"mkdir -p {quoted(folder)}"
        )
    return path


def write_whole(path: Path, text: str, output: str) -> None:
    """All at once: nobody ever reads half a file.

    Raises:
        UsageProblem: it cannot be written.
    """
    try:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
        wholefile.write(path, text, mode)
    except (OSError, StepFailed) as error:
        reason = error.__cause__ if isinstance(error, StepFailed) else error
        raise UsageProblem(f"cannot write {output}: {getattr(reason, 'strerror', None)}") from None


def _umask() -> int:
    """The process's mask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
