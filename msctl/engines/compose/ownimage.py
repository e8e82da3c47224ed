"""The context of msctl's own image: the package as it is installed, and what it requires."""

from __future__ import annotations

import io
import re
import tarfile
from importlib.metadata import requires
from pathlib import Path

import msctl

_PACKAGE = Path(msctl.__file__).parent
_DOCKERFILE = _PACKAGE / "images" / "autoscaler.Dockerfile"


def context() -> bytes:
    """A tar archive with Dockerfile, requirements.txt and the package; of the same msctl always the
    same, so that the engine's cache knows it."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        _add(tar, "Dockerfile", _DOCKERFILE.read_bytes())
        _add(tar, "requirements.txt", "\n".join(requirements()).encode() + b"\n")
        for path in sorted(_PACKAGE.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                _add(tar, f"msctl/{path.relative_to(_PACKAGE).as_posix()}", path.read_bytes())
    return archive.getvalue()


def requirements() -> list[str]:
    """Those of msctl itself, without its extras'."""
    return [one for one in requires("msctl") or () if not re.search(r";.*\bextra\b", one)]


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o644
    tar.addfile(entry, io.BytesIO(content))
