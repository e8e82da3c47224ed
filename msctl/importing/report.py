"""What there is to say about an import, short enough to be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msctl.config.problems import Path, show_path
from msctl.importing.source import Note

_NO_HTTP = frozenset(
    (21, 22, 25, 53, 110, 143, 389, 465, 587, 993, 1433, 1521, 1883, 3306, 4222, 5432, 5672,
     6379, 8883, 9042, 9092, 9300, 11211, 27017, 33060)
)  # fmt: skip
"""Ports of mail, databases, queues and the like, which no route leads to."""


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


def next_steps(stack: Mapping[str, Any], *, had_gateway: bool) -> Iterator[str]:
    """What a stack without routes lacks, and how one of its services gets one. `had_gateway`: the
    file has a Traefik, which led to services."""
    services: Mapping[str, Any] = stack["services"]
    if any("routes" in service for service in services.values()):
        return
    if had_gateway:
        yield (
            "no route is left, so there is no gateway: nobody reaches what the file's Traefik led "
            "to"
        )
        led_to = (name for name, s in services.items() if "port" in s and "ports" not in s)
        if (name := next(led_to, None)) is not None:
            yield f"where nobody has to be kept out, write under {name}: routes: [/]"
        return
    published = {
        name: [str(port).partition("/")[0].rpartition(":")[2] for port in service["ports"]]
        for name, service in services.items()
        if "ports" in service and not service.get("stateful")
    }
    yield "no service has a route, so there is no gateway: each is reached as before"
    web = (
        (name, port)
        for name, ports in published.items()
        for port in ports[:1]
        if port.isdecimal() and int(port) not in _NO_HTTP
    )
    if (found := next(web, None)) is not None:
        name, port = found
        yield (
            f"for a gateway, and scaling without a lost request, write in place of {name}'s ports: "
            f"port: {port}, routes: [/]"
        )
