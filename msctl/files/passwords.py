"""Passwords of the users whom the gateway asks for one: secrets beside the stack file.

A user's password is in `.msctl/secrets/@USER`, its hash in `@USER.bcrypt`; no secret of a service
can have such a name. A password of one's own is written into the first of the two.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from pathlib import Path

import bcrypt

from msctl.errors import StepFailed
from msctl.files import wholefile
from msctl.state import NO_PASSWORD

PASSWORD_BYTES = 18
COST = 6
"""Of bcrypt: the gateway pays it at every request, and a generated password can be guessed at no
cost; `htpasswd -B` takes 5."""
LONGEST = 72
"""Bytes that bcrypt takes."""


def path_of(folder: Path, user: str) -> Path:
    return folder / f"@{user}"


def _hash_path(folder: Path, user: str) -> Path:
    return folder / f"@{user}.bcrypt"


def due(folder: Path, users: Iterable[str]) -> dict[str, str]:
    """Whose password or hash is to be made, and why.

    Raises:
        StepFailed: a file cannot be read.
    """
    found: dict[str, str] = {}
    for user in users:
        password = wholefile.read(path_of(folder, user))
        known = wholefile.read(_hash_path(folder, user))
        if password is None:
            found[user] = NO_PASSWORD
        elif known is None or not _fits(_of_file(folder, user, password), known):
            found[user] = "it is another one"
    return found


def make(folder: Path, user: str, *, fresh: bool = False) -> None:
    """Have a password, random when it is new, and its hash; `fresh`: another one than there is.

    Raises:
        StepFailed: a file cannot be read or written, or the password is of no use.
    """
    try:
        wholefile.own_folder(folder)
    except OSError as error:
        raise StepFailed(f"cannot make {folder}: {error.strerror}") from error
    text = None if fresh else wholefile.read(path_of(folder, user))
    if text is None:
        text = secrets.token_urlsafe(PASSWORD_BYTES)
        wholefile.write(path_of(folder, user), f"{text}\n")
    password = _of_file(folder, user, text)
    hashed = bcrypt.hashpw(password, bcrypt.gensalt(COST)).decode()
    wholefile.write(_hash_path(folder, user), f"{hashed}\n")


def password(folder: Path, user: str) -> str:
    """A user's password, to be shown to who runs msctl.

    Raises:
        StepFailed: it cannot be read.
    """
    return _of_file(folder, user, wholefile.read(path_of(folder, user)) or "").decode()


def hashes(folder: Path, users: Iterable[str]) -> dict[str, str]:
    """The hashes, by user.

    Raises:
        StepFailed: one is not there.
    """
    found: dict[str, str] = {}
    for user in users:
        text = wholefile.read(_hash_path(folder, user))
        if text is None:
            raise StepFailed(f"{_hash_path(folder, user)} is gone", hint="msctl up makes it")
        found[user] = text.strip()
    return found


def _fits(password: bytes, hashed: str) -> bool:
    try:
        return bcrypt.checkpw(password, hashed.strip().encode())
    except ValueError:
        return False  # somebody has written into it


def _of_file(folder: Path, user: str, text: str) -> bytes:
    found = text.rstrip("\r\n").encode()
    if not 0 < len(found) <= LONGEST:
        raise StepFailed(
            f"{path_of(folder, user)} holds no password of 1 to {LONGEST} bytes",
            hint="write one into it, or remove it: msctl up makes a new one",
        )
    return found
