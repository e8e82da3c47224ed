"""What there is to say about an import, short enough to be read."""

from __future__ import annotations

from collections.abc import Iterable

from msctl.config.problems import Path, show_path
from msctl.importing.source import Note


def report(notes: Iterable[Note], file: str) -> list[str]:
    """A line for each note; what is said of one key of several services is one line.

    `FILE:LINE,LINE: services.{a, b}.KEY: MESSAGE`; `file` is the main one, as it is called.
    """
    alike: dict[tuple[str | None, Path, str], list[Note]] = {}
    for note in notes:
        alike.setdefault((note.file, _key(note.path), note.message), []).append(note)
    return [_line(group, file) for group in alike.values()]


def _key(path: Path) -> Path:
    """A path without the name of the service that it is in."""
    return ("services", "", *path[2:]) if path[:1] == ("services",) and len(path) > 2 else path


def _line(group: list[Note], file: str) -> str:
    first = group[0]
    if len(group) == 1:
        return first.text(file)
    lines = dict.fromkeys(str(note.line) for note in group)
    names = dict.fromkeys(str(note.path[1]) for note in group)
    key = show_path(first.path[2:])
    dot = "" if key.startswith("[") else "."
    where = f"services.{{{', '.join(names)}}}{dot}{key}"
    return f"{first.named(file)}:{','.join(lines)}: {where}: {first.message}"
