"""A Compose file, taken over in a test."""

from __future__ import annotations

from collections.abc import Mapping

from msctl.config import load_text
from msctl.importing import Imported, Source, composed, imported
from msctl.importing.source import OURS
from msctl.model import Stack


def taken(
    text: str,
    environ: Mapping[str, str] | None = None,
    *,
    name: str = "shop",
    files: tuple[str, ...] | Mapping[str, str] = (),
) -> Imported:
    """What a Compose file comes to."""

    def read(path: str) -> bytes:
        if path != "f" and not (isinstance(files, Mapping) and path in files):
            raise FileNotFoundError(2, "No such file or directory", path)
        return (text if path == "f" else files[path]).encode()

    lookup = (environ or {}).get
    found = composed(["f"], read, lookup)
    source = Source(
        found.document,
        lookup,
        exists=files.__contains__,
        read=read,
        own=text.startswith(OURS),
        notes=list(found.lost),
    )
    return imported(source, name)


def loaded(found: Imported, environ: Mapping[str, str] | None = None) -> Stack:
    """The stack of the written file; every file that it names is there, and empty."""
    text = found.text("docker-compose.yml")
    return load_text(text, name="stack.yaml", environ=environ or {}, read_file=lambda _path: b"")


def told(found: Imported) -> str:
    return "\n".join(note.text("f") for note in found.notes)
