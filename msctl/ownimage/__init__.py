"""msctl's own image, in which the stack scales itself: its name, and what it is built of.

It is built of the package as it is installed and what that requires, under a name of these
contents: another msctl has another image, and the same one is never built twice.
"""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import msctl
from msctl.render.autoscaler import IMAGE

PACKAGE = Path(msctl.__file__).parent
_DOCKERFILE = "ownimage/autoscaler.Dockerfile"


def reference(package: Path = PACKAGE) -> str:
    """Its name: `localhost/msctl-autoscaler:0.1.0-` and a digest of all that it is built of."""
    found = hashlib.sha256()
    for name, content in _files(package):
        found.update(f"{name}\0{len(content)}\0".encode())
        found.update(content)
    return f"{IMAGE}:{msctl.__version__}-{found.hexdigest()[:12]}"


def context() -> bytes:
    """A tar archive with Dockerfile, requirements.txt and the package; of the same msctl always the
    same, so that the engine's cache knows it."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, content in _files(PACKAGE):
            _add(tar, name, content)
    return archive.getvalue()


def _files(package: Path) -> Iterator[tuple[str, bytes]]:
    yield "Dockerfile", (package / _DOCKERFILE).read_bytes()
    required = requirements()
    yield "requirements.txt", "".join(f"{one}\n" for one in required).encode()
    # By which msctl in its container knows itself, as an installed one does.
    metadata = ["Metadata-Version: 2.1", "Name: msctl", f"Version: {msctl.__version__}"]
    metadata += [f"Requires-Dist: {one}" for one in required]
    yield "msctl.dist-info/METADATA", "".join(f"{line}\n" for line in metadata).encode()
    for path in sorted(package.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield f"msctl/{path.relative_to(package).as_posix()}", path.read_bytes()


def requirements() -> list[str]:
    """Those of msctl itself, without its extras'."""
    from importlib.metadata import requires

    return [one for one in requires("msctl") or () if not re.search(r";.*\bextra\b", one)]


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o644
    tar.addfile(entry, io.BytesIO(content))
