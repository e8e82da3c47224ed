"""Secrets as files beside the stack file: made once, rotated, and told apart by their digests."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msctl.errors import StepFailed, UsageProblem
from msctl.files import wholefile
from msctl.shellwords import quoted

if TYPE_CHECKING:  # who only looks needs no steps
    from msctl.engines.secretsteps import RotateSecret, StageSecret, WriteSecret

SECRET_BYTES = 24
SECRET_MODE = 0o444
"""Container users have other numbers than ours; the folder is ours alone."""


def check_secret(path: Path) -> None:
    """Refuse a secret that is no file: a link would show the container another file of the host.

    Raises:
        UsageProblem: with the path.
    """
    wholefile.check_folder(path.parent)
    with suppress(FileNotFoundError, NotADirectoryError):
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise UsageProblem(
                f"{path} is a link or no file; a secret has to be a file, in a folder of its own",
                hint=f"put a copy in its place: rm {quoted(str(path))}; msctl up makes a new "
                "secret where there is none",
            )
        if status.st_size > wholefile.MOST_BYTES:
            raise UsageProblem(
                f"{path} is larger than 1 MiB; a secret is a short text",
                hint="mount it under volumes, with :ro",
            )


def write_secret(step: WriteSecret) -> list[Path]:
    """Write a secret's file where it is missing; the secret itself is random when it is new. The
    files that are new by it.

    The folder is the user's alone (0700); the files can be read by everybody who gets them
    mounted, since a container's user has another number than ours.

    Raises:
        StepFailed: the folder or file cannot be written, or is a link.
    """
    path = Path(step.path)
    plain, made = path.parent / step.secret, []
    try:
        wholefile.own_folder(path.parent)
        if wholefile.read(plain) is None and wholefile.write_once(
            plain, secrets.token_urlsafe(SECRET_BYTES), SECRET_MODE
        ):
            made.append(plain)
        secret = (wholefile.read(plain) or "").rstrip("\n")
        if step.template is not None and wholefile.write_once(
            path, step.template.replace("{secret}", secret), SECRET_MODE
        ):
            made.append(path)
    except OSError as error:
        raise StepFailed(f"cannot write {path}: {error.strerror}") from error
    return made


def made_with(volume: str, paths: Iterable[str]) -> str:
    """What stands on a volume for the secrets that were made with it: random ones, which nobody
    guesses.

    Raises:
        StepFailed: one is gone again.
    """
    found = {path: wholefile.read(Path(path)) for path in paths}
    for path, text in found.items():
        if text is None:
            raise StepFailed(f"{path} is gone again", hint="msctl up")
    text = "\0".join(filter(None, found.values()))
    return hmac.new(text.encode(), volume.encode(), hashlib.sha256).hexdigest()


def stage_secret(step: StageSecret) -> None:
    """Raises:
    StepFailed: the file cannot be written.
    """
    path = _staged(step.folder, step.target)
    if wholefile.read(path) is None:  # two who come at once go on with the same value
        wholefile.write_once(path, secrets.token_urlsafe(SECRET_BYTES))


def staged_secret(folder: str, secret: str) -> str:
    """The value that is kept aside.

    Raises:
        StepFailed: there is none.
    """
    value = wholefile.read(_staged(folder, secret))
    if value is None:
        raise StepFailed(f"the new value of {secret} is gone", hint=f"msctl secret rotate {secret}")
    return value


def rotate_secret(step: RotateSecret) -> None:
    """The secret itself comes last but for what was kept aside: whatever interrupts this, the next
    rotation goes on with the same value.

    Raises:
        StepFailed: a file cannot be written.
    """
    value = staged_secret(step.folder, step.target)
    for name, template in {**step.files, step.target: None}.items():
        text = value if template is None else template.replace("{secret}", value)
        wholefile.write(Path(step.folder) / name, text, SECRET_MODE)
    _staged(step.folder, step.target).unlink(missing_ok=True)


def _staged(folder: str, secret: str) -> Path:
    """No secret has such a name."""
    return Path(folder) / f".next.{secret}"


def secret_digests(paths: Iterable[str], *, new_key: bool = False) -> dict[str, str]:
    """A digest of what is in each secret's file, by path; nothing of what cannot be read.

    It ends up in labels, so it is keyed: who has not the key, which lies beside the secrets, can
    try no guess of a secret on it. `new_key`: one is made where there is none; else nothing is
    known without it.
    """
    found: dict[str, str] = {}
    for path in map(Path, paths):
        try:
            status = path.lstat()
            if not stat.S_ISREG(status.st_mode) or status.st_size > wholefile.MOST_BYTES:
                continue
            content = path.read_bytes()
        except OSError:
            continue
        if (key := _digest_key(path.parent, new_key)) is not None:
            found[str(path)] = hmac.new(key, content, hashlib.sha256).hexdigest()
    return found


def _digest_key(folder: Path, new: bool) -> bytes | None:
    """The key of the digests; None where there is none that can be read."""
    path = folder / ".digest-key"
    try:
        text = wholefile.read(path)
        if text is None and new:
            wholefile.write_once(path, secrets.token_hex(32))  # others may be at it
            text = wholefile.read(path)
    except (StepFailed, OSError):
        return None
    return text.encode() if text else None
