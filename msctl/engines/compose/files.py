"""Files on this machine that containers mount: secrets, and the digest of what is in them."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msctl.engines.compose.revision import Revision
from msctl.errors import StepFailed, UsageProblem
from msctl.model import AUTOSCALER
from msctl.render.socketproxy import DOCKER_SOCKET
from msctl.shellwords import quoted

if TYPE_CHECKING:  # who only looks needs no steps
    from msctl.engines.compose.steps import WriteSecret

SECRET_BYTES = 24
_LARGE = 1 << 20
"""Bytes from which a file counts by size and time instead of by content."""


def digest(revision: Revision) -> str:
    """Digest of the contents of what a service mounts: files, and folders mounted read-only.

    A folder that the container can write to is data, not configuration.
    """
    found = hashlib.sha256()
    if revision.name == AUTOSCALER:  # of the folder that it has, it reads the stack file
        environment = revision.service.get("environment") or {}
        return hashlib.sha256(_content(Path(str(environment["MSCTL_FILE"])))).hexdigest()
    mounts = [
        (Path(source), read_only)
        for source, read_only in revision.bind_mounts()
        if Path(source).is_file() or (read_only and Path(source).is_dir())
    ]
    if not mounts:
        return ""
    for source, _ in sorted(mounts):
        for path in _files(source):
            found.update(f"{path.relative_to(source)}\0".encode())
            found.update(_content(path))
    return found.hexdigest()


def check_mounts(revision: Revision, *, local: bool) -> None:
    """Refuse mounts that cannot work, before anything is created.

    A folder that is missing is made by the engine where the container may fill it, as Docker
    Compose does; where it is mounted read-only, it would stay empty.

    Raises:
        UsageProblem: with the path.
    """
    check_secrets(revision)
    for source, read_only in revision.bind_mounts():
        where = f"services.{revision.name}.volumes: {source}"
        if not local and source != DOCKER_SOCKET:
            raise UsageProblem(
                f"{where} is on this machine, but the engine is on another one",
                hint="put the files into the image, or into a named volume",
            )
        if local and read_only and not Path(source).exists():
            raise UsageProblem(f"{where} is not there", hint="create it, or correct the path")


def check_secrets(revision: Revision) -> None:
    """Refuse secrets that are no files: a link would show the container another file of the host.

    Raises:
        UsageProblem: with the path.
    """
    for secret in revision.secrets.values():
        path = Path(str(secret["file"]))
        for found, wanted in ((path.parent, stat.S_ISDIR), (path, stat.S_ISREG)):
            with suppress(FileNotFoundError, NotADirectoryError):
                if not wanted(found.lstat().st_mode):
                    raise UsageProblem(
                        f"{found} is a link or no {'file' if found == path else 'folder'}; a "
                        "secret has to be a file, in a folder of its own",
                        hint=f"put a copy in its place: rm {quoted(str(found))}; msctl up makes "
                        "a new secret where there is none",
                    )


def _files(source: Path) -> Iterator[Path]:
    if source.is_file():
        yield source
        return
    yield from sorted(path for path in source.rglob("*") if path.is_file())


def _content(path: Path) -> bytes:
    status = path.stat()
    if status.st_size > _LARGE:
        return f"{status.st_size} {status.st_mtime_ns}".encode()
    return hashlib.sha256(path.read_bytes()).digest()


def write_secret(step: WriteSecret) -> None:
    """Write a secret's file where it is missing; the secret itself is random when it is new.

    The folder is the user's alone (0700); the files can be read by everybody who gets them
    mounted, since a container's user has another number than ours.

    Raises:
        StepFailed: the folder or file cannot be written, or is a link.
    """
    path = Path(step.path)
    try:
        path.parent.parent.mkdir(exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if not stat.S_ISDIR(path.parent.lstat().st_mode):
            raise StepFailed(f"{path.parent} is not a folder")
        path.parent.chmod(0o700)
        secret = _secret(path.parent / step.secret)
        if step.template is not None:
            _write_once(path, step.template.replace("{secret}", secret))
    except OSError as error:
        raise StepFailed(f"cannot write {path}: {error.strerror}") from error


def _secret(path: Path) -> str:
    if path.is_symlink():
        raise StepFailed(f"{path} is a link; a secret has to be a file")
    if not path.exists():
        _write_once(path, secrets.token_urlsafe(SECRET_BYTES))
    return path.read_text().rstrip("\n")


def _write_once(path: Path, content: str) -> None:
    """The whole file or nothing; a file that is there already is kept."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(content)
            os.fchmod(file.fileno(), 0o444)
            file.flush()
            os.fsync(file.fileno())
        os.link(name, path)
    except FileExistsError:
        return
    finally:
        os.unlink(name)
