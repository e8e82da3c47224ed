"""Files on this machine that containers mount: secrets, and the digest of what is in them."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msctl import wholefile
from msctl.engines.compose.revision import Revision
from msctl.errors import StepFailed, UsageProblem
from msctl.model import AUTOSCALER, OWN_SERVICES
from msctl.shellwords import quoted

if TYPE_CHECKING:  # who only looks needs no steps
    from msctl.engines.compose.steps import RotateSecret, StageSecret, WriteSecret

SECRET_BYTES = 24
SECRET_MODE = 0o444
"""Container users have other numbers than ours; the folder is ours alone."""
MOST_FILES = 5_000
"""In a folder that is configuration, and is looked into at each `up`."""
_MADE_UP = [("/", "proc"), ("/", "sys"), ("/", "dev")]
_LARGE = 1 << 20
"""Bytes from which a file counts by size and time instead of by content."""


def digest(revision: Revision) -> str:
    """Digest of the contents of what a service mounts: files, and folders mounted read-only.

    A folder that the container can write to is data, not configuration; so are one of very many
    files, such as the machine's own for whatever measures it, and what the kernel makes up.
    """
    found = hashlib.sha256()
    if revision.name == AUTOSCALER:  # of the folder that it has, it reads the stack file
        environment = revision.service.get("environment") or {}
        return file_digest(Path(str(environment["MSCTL_FILE"])))
    mounts = [
        (Path(source), read_only)
        for source, read_only in revision.bind_mounts()
        if Path(source).is_file() or (read_only and Path(source).is_dir())
    ]
    if not mounts:
        return ""
    for source, _ in sorted(mounts):
        for path in _files(source):
            found.update(f"{path.relative_to(source)}\0".encode(errors="surrogateescape"))
            try:
                found.update(_content(path))
            except OSError:  # the container may be able to read it
                found.update(b"unreadable")
    return found.hexdigest()


def file_digest(path: Path) -> str:
    """Digest of one file's contents.

    Raises:
        OSError: it cannot be read.
    """
    return hashlib.sha256(_content(path)).hexdigest()


def check_mounts(revision: Revision, *, local: bool, virtual: bool = False) -> None:
    """Refuse mounts that cannot work, before anything is created.

    A folder that is missing is made by the engine where the container may fill it, as Docker
    Compose does; where it is mounted read-only, it would stay empty. The engine's own socket is
    where the engine runs: in a machine of its own (`virtual`), it is no file of this one.

    Raises:
        UsageProblem: with the path.
    """
    check_secrets(revision)
    for secret in revision.secrets if not local else ():
        raise UsageProblem(
            f"services.{revision.name}.secrets: {secret} is a file on this machine, but the engine "
            "is on another one; nothing was changed",
            hint="run msctl on the engine's machine, or put what the service needs into its image",
        )
    for source, read_only in revision.bind_mounts():
        where = f"services.{revision.name}.volumes: {source}"
        if not local and source not in revision.sockets:
            raise UsageProblem(
                f"{where} is on this machine, but the engine is on another one",
                hint="put the files into the image, or into a named volume",
            )
        if source in revision.sockets and not virtual and local and not Path(source).exists():
            raise UsageProblem(
                f"{where}: there is no socket of the engine",
                hint="in the stack file, under gateway, write: socket: PATH, where it is"
                if revision.name in OWN_SERVICES
                else "mount it from where it is",
            )
        if source in revision.sockets:
            continue
        if local and read_only and not Path(source).exists():
            raise UsageProblem(f"{where} is not there", hint="create it, or correct the path")


def check_secrets(revision: Revision) -> None:
    """Refuse secrets that are no files: a link would show the container another file of the host.

    Raises:
        UsageProblem: with the path.
    """
    for secret in revision.secrets.values():
        path = Path(str(secret["file"]))
        wholefile.check_folder(path.parent)
        with suppress(FileNotFoundError, NotADirectoryError):
            status = path.lstat()
            if not stat.S_ISREG(status.st_mode):
                raise UsageProblem(
                    f"{path} is a link or no file; a secret has to be a file, in a folder of "
                    "its own",
                    hint=f"put a copy in its place: rm {quoted(str(path))}; msctl up makes "
                    "a new secret where there is none",
                )
            if status.st_size > wholefile.MOST_BYTES:
                raise UsageProblem(
                    f"{path} is larger than 1 MiB; a secret is a short text",
                    hint="mount it under volumes, with :ro",
                )


def _files(source: Path) -> list[Path]:
    """In an order that stays; none of a folder that is data."""
    if source.is_file():
        return [source]
    found: list[Path] = []
    if source.resolve().parts[:2] in _MADE_UP:
        return found
    for folder, _, names in os.walk(source):
        found += (Path(folder, name) for name in names)
        if len(found) > MOST_FILES:
            return []
    return sorted(path for path in found if path.is_file())


def _content(path: Path) -> bytes:
    status = path.stat()
    if status.st_size > _LARGE:
        return f"{status.st_size} {status.st_mtime_ns}".encode()
    return hashlib.sha256(path.read_bytes()).digest()


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
