"""Files of the user's alone, written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from msctl.errors import StepFailed, UsageProblem
from msctl.shellwords import quoted

PRIVATE, PUBLIC = 0o600, 0o644
MOST_BYTES = 1 << 20
"""Of a file that is read: more than any secret, password or certificate has."""
_DRAFT, _OLD = ".new-", 3600
"""How the names of drafts begin, and seconds after which one is nobody's."""
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_AT_ONCE = getattr(os, "O_NONBLOCK", 0)
"""A pipe is not waited for."""


def own_folder(path: Path) -> None:
    """Make a folder in `.msctl` that nobody else can enter.

    Raises:
        StepFailed: it is a link, somebody else's, or something else.
        OSError: it cannot be made.
    """
    path.parent.mkdir(exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)
    if found := foreign(path):
        raise StepFailed(found[0], hint=found[1])
    _forget_drafts(path)
    if not hasattr(os, "fchmod"):
        return  # the permissions of Windows are no mode bits
    handle = os.open(path, os.O_RDONLY | _NO_LINK)
    try:
        os.fchmod(handle, 0o700)
    finally:
        os.close(handle)


def _forget_drafts(folder: Path) -> None:
    """Drafts of an msctl that was killed: they hold secrets, and nobody comes back for them."""
    for draft in folder.glob(f"{_DRAFT}*"):
        with suppress(OSError):
            if time.time() - draft.lstat().st_mtime > _OLD:
                draft.unlink()


def check_folder(path: Path) -> None:
    """Refuse a folder in `.msctl` that is not one to keep secrets in, before anything is changed.

    Raises:
        UsageProblem: with the path, and what to do.
    """
    if found := foreign(path):
        raise UsageProblem(found[0], hint=found[1])


def foreign(path: Path) -> tuple[str, str] | None:
    """Why a folder in `.msctl` is not one to keep secrets in, and what to do; None where it is,
    or is not there.

    A link leads to the files of another stack, or of the machine. In a folder of somebody else,
    files are theirs to exchange. Root works for whoever has the stack file's folder, too.
    """
    for folder in (path.parent, path):
        try:
            status = folder.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            return f"cannot look at {folder}: {error.strerror}", _OWNER
        name = quoted(str(folder))
        if not stat.S_ISDIR(status.st_mode):
            what = "a link" if stat.S_ISLNK(status.st_mode) else "no folder"
            return (
                f"{folder} is {what}; it has to be a folder of its own",
                f"put a copy in its place: rm {name}; msctl up makes what is missing",
            )
        if hasattr(os, "getuid") and status.st_uid not in _owners(path.parent.parent):
            return f"{folder} belongs to another user (number {status.st_uid})", (
                f"{_OWNER}, or make it yours: sudo chown -R $USER {name}"
            )
    return None


_OWNER = "run msctl as its owner"


def _owners(home: Path) -> set[int]:
    """Whose folders are as good as one's own in a stack file's folder."""
    user = os.getuid()
    return {user, home.stat().st_uid} if user == 0 else {user}


def write(path: Path, text: str, mode: int = PRIVATE) -> None:
    """Put a file in the place of what is there: nobody ever reads half of it.

    Raises:
        StepFailed: it cannot be written; what was there is there still.
    """
    try:
        with _draft(path, text, mode) as draft:
            os.replace(draft, path)
    except OSError as error:
        raise StepFailed(f"cannot write {path}: {error.strerror}") from error


def write_once(path: Path, text: str, mode: int = PRIVATE) -> bool:
    """The whole file or nothing; a file that is there already is kept, whoever made it. Whether it
    is ours.

    Raises:
        StepFailed: it cannot be written.
    """
    try:
        with _draft(path, text, mode) as draft, suppress(FileExistsError):
            os.link(draft, path)
            return True
    except OSError as error:
        raise StepFailed(f"cannot write {path}: {error.strerror}") from error
    return False


@contextmanager
def _draft(path: Path, text: str, mode: int) -> Iterator[str]:
    """The name of a file beside `path` with all of the text on the disk; gone at the end, unless
    it has got another name."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=_DRAFT)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            os.chmod(draft, mode)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        with suppress(OSError):
            os.unlink(draft)


def read(path: Path) -> str | None:
    """What is in a file; None where there is none.

    Raises:
        StepFailed: it cannot be read, or is a link.
    """
    try:
        return _content(path).decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        if path.is_symlink():
            raise StepFailed(
                f"{path} is a link; it has to be a file", hint=f"remove it: rm {quoted(str(path))}"
            ) from error
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise StepFailed(f"cannot read {path}: {reason}") from error


def _content(path: Path) -> bytes:
    """Of the file itself: no link is followed, and nothing is waited for.

    Raises:
        OSError: it cannot be read, or is no file.
    """
    if not _NO_LINK and path.is_symlink():
        raise OSError(errno.ELOOP, "it is a link")
    with open(os.open(path, os.O_RDONLY | _NO_LINK | _AT_ONCE), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no file")
        found = file.read(MOST_BYTES + 1)
    if len(found) > MOST_BYTES:
        raise OSError(errno.EFBIG, "it is larger than 1 MiB")
    return found
