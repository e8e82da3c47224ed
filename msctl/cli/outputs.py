"""Files that a command writes where the operator says."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from msctl.cli.session import Session
from msctl.errors import UsageProblem
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
    draft: str | None = None
    try:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with open(handle, "w", encoding="utf-8", newline="") as file:  # line ends as they are
            file.write(text)
        os.chmod(draft, mode)
        os.replace(draft, path)
    except OSError as error:
        if draft is not None:
            with suppress(OSError):
                os.unlink(draft)
        raise UsageProblem(f"cannot write {output}: {error.strerror}") from None


def _umask() -> int:
    """The process's mask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
