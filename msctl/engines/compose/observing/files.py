"""Files on this machine that containers mount: what they hold, and whether they can be."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from msctl.engines.compose.revision import Revision
from msctl.engines.secretfiles import check_secret
from msctl.errors import UsageProblem
from msctl.files.bindfiles import content_digest, file_digest
from msctl.model import AUTOSCALER, OWN_SERVICES
from msctl.variables import FILE

MOST_FILES = 5_000
"""In a folder that is configuration, and is looked into at each `up`."""
_MADE_UP = [("/", "proc"), ("/", "sys"), ("/", "dev")]


def digest(revision: Revision) -> str:
    """Digest of the contents of what a service mounts: files, and folders mounted read-only.

    A folder that the container can write to is data, not configuration; so are one of very many
    files, such as the machine's own for whatever measures it, and what the kernel makes up.
    """
    found = hashlib.sha256()
    if revision.name == AUTOSCALER:  # of the folder that it has, it reads the stack file
        environment = revision.service.get("environment") or {}
        return file_digest(Path(str(environment[FILE])))
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
                found.update(content_digest(path))
            except OSError:  # the container may be able to read it
                found.update(b"unreadable")
    return found.hexdigest()


def check_mounts(revision: Revision, *, local: bool, virtual: bool = False) -> None:
    """Refuse mounts that cannot work, before anything is created.

    A folder that is missing is made by the engine where the container may fill it, as Docker
    Compose does; where it is mounted read-only, it would stay empty. The engine's own socket is
    where the engine runs: in a machine of its own (`virtual`), it is no file of this one.

    Raises:
        UsageProblem: with the path.
    """
    for secret in revision.secrets.values():
        check_secret(Path(str(secret["file"])))
    for name in revision.secrets if not local else ():
        raise UsageProblem(
            f"services.{revision.name}.secrets: {name} is a file on this machine, but the engine "
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
