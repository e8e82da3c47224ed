"""The files that services mount from the host: what is in them, and whether it has changed.

Hidden files and folders count as others do; links are followed.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from msctl.fields.mounts import parse_mount
from msctl.model import Stack

Contents = dict[str, dict[str, bytes]]
"""By source, as the stack file writes it: by path within a folder, or by "" for a file."""
MOST_BYTES = 2 * 1024 * 1024
"""Of one source: more than any ConfigMap holds, and little enough to be read."""
_LARGE = 1 << 20
"""Bytes from which a file counts by size and time instead of by content."""


def read_bind_files(stack: Stack, folder: Path) -> Contents:
    """What lies at the sources of the stack's bind mounts; one that is no file and no folder, or
    cannot be read, is not there. `folder` is the stack file's."""
    sources = {
        mount.source
        for service in stack.services.values()
        for entry in (*service.volumes, *service.kubernetes.volumes)
        if (mount := parse_mount(entry)).kind == "bind" and mount.source
    }
    found = {source: _read(folder / Path(source).expanduser()) for source in sorted(sources)}
    return {source: files for source, files in found.items() if files is not None}


def _read(path: Path) -> dict[str, bytes] | None:
    try:
        if path.is_file():
            return {"": _start(path)}
        if not path.is_dir():
            return None
        files: dict[str, bytes] = {}
        total = 0
        for file in sorted(path.rglob("*")):
            if file.is_file():
                content = _start(file)
                files[file.relative_to(path).as_posix()] = content
                total += len(content)
            if total > MOST_BYTES:
                break
    except OSError:
        return None
    return files


def _start(path: Path) -> bytes:
    """A file, or enough of it to see that it is too long."""
    with path.open("rb") as file:
        return file.read(MOST_BYTES)


def file_digest(path: Path) -> str:
    """Digest of one file's contents.

    Raises:
        OSError: it cannot be read.
    """
    return hashlib.sha256(content_digest(path)).hexdigest()


def content_digest(path: Path) -> bytes:
    """What tells whether a file has changed.

    Raises:
        OSError: it cannot be read.
    """
    status = path.stat()
    if status.st_size > _LARGE:
        return f"{status.st_size} {status.st_mtime_ns}".encode()
    return hashlib.sha256(path.read_bytes()).digest()
