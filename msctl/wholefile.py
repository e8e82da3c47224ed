"""Files of the user's alone, written whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from msctl.errors import StepFailed
from msctl.shellwords import quoted

PRIVATE, PUBLIC = 0o600, 0o644


def own_folder(path: Path) -> None:
    """Make a folder in `.msctl` that nobody else can enter.

    Raises:
        StepFailed: it is a link, or something else.
        OSError: it cannot be made.
    """
    path.parent.mkdir(exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)
    if not stat.S_ISDIR(path.lstat().st_mode):
        raise StepFailed(f"{path} is not a folder")
    path.chmod(0o700)


def write(path: Path, text: str, mode: int = PRIVATE) -> None:
    """Put a file in the place of what is there: nobody ever reads half of it.

    Raises:
        StepFailed: it cannot be written; what was there is there still.
    """
    draft: str | None = None
    try:
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            os.chmod(draft, mode)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except OSError as error:
        if draft is not None:
            with suppress(OSError):
                os.unlink(draft)
        raise StepFailed(f"cannot write {path}: {error.strerror}") from error


def read(path: Path) -> str | None:
    """What is in a file; None where there is none.

    Raises:
        StepFailed: it cannot be read, or is a link.
    """
    if path.is_symlink():
        raise StepFailed(
            f"{path} is a link; it has to be a file", hint=f"remove it: rm {quoted(str(path))}"
        )
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise StepFailed(f"cannot read {path}: {reason}") from error
