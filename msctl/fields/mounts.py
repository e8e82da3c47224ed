"""Entries of `volumes`, in Compose's short and long form.

Source: compose-go `format/volume.go`. msctl is stricter in one point: a target is absolute.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from msctl.fields import LONGEST_PATH, holds_controls, shown

LONGEST_VOLUME = 128
"""Characters of a volume's name: with the project's, it is the name of a folder on the engine."""
_FORM = "[SOURCE:]TARGET[:ro|rw]"
_VOLUME_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
_DRIVE = re.compile(r"[a-zA-Z]:[\\/]")
_OPTIONS = re.compile(
    r"ro|rw|z|Z|nocopy|cached|delegated|consistent|(?:r)?(?:private|shared|slave)"
)
_PROPAGATION = ("private", "rprivate", "shared", "rshared", "slave", "rslave")
_TYPES = ("volume", "bind", "tmpfs")
_LONG_KEYS = ("type", "source", "target", "read_only", "bind", "volume", "tmpfs", "consistency")


@dataclass(frozen=True)
class Mount:
    """What is mounted, and where in the container."""

    kind: str
    """volume, bind or tmpfs."""
    target: str
    source: str | None = None
    """A volume's name, or a path of the host; None: a volume without name, or tmpfs."""
    read_only: bool = False


def parse_mount(value: object) -> Mount:
    """An entry of `volumes`.

    Raises:
        ValueError: it is none; the message says why.
    """
    if isinstance(value, Mapping):
        return _long(value)
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is not a volume ({_FORM})")
    try:
        return _short(value)
    except ValueError as error:
        raise ValueError(f"{shown(value)} is not a volume ({_FORM}): {error}") from None


def _short(text: str) -> Mount:
    drive = _DRIVE.match(text)
    first, *rest = text[2:].split(":") if drive else text.split(":")
    parts = [text[:2] + first if drive else first, *rest]
    if len(parts) > 3 or "" in parts:
        raise ValueError("too many parts" if len(parts) > 3 else "a part is empty")
    if len(parts) == 1:
        return Mount("volume", _target(parts[0]))
    options = parts[2].split(",") if len(parts) == 3 else []
    for option in options:
        if not _OPTIONS.fullmatch(option):
            raise ValueError(f"{shown(option)} is not an option such as ro")
    kind = "bind" if is_path(parts[0]) else "volume"
    return _checked(kind, parts[0], parts[1], "ro" in options)


def is_path(source: str) -> bool:
    """Whether a source is a path of the host, not the name of a volume."""
    return source.startswith((".", "/", "~", "\\")) or _DRIVE.match(source) is not None


def _long(value: Mapping[str, object]) -> Mount:
    for key in value:
        if key not in _LONG_KEYS and not str(key).startswith("x-"):
            keys = ", ".join(_LONG_KEYS)
            raise ValueError(f"unknown key {shown(key)} of a volume (known: {keys})")
    kind = value.get("type")
    if kind not in _TYPES:
        raise ValueError(f"type {shown(kind)} is not {', '.join(_TYPES)}")
    source = value.get("source")
    if source is not None and not isinstance(source, str):
        raise ValueError(f"source {shown(source)} is not text")
    bind = value.get("bind")
    spread = bind.get("propagation") if isinstance(bind, Mapping) else None
    if spread is not None and spread not in _PROPAGATION:
        words = ", ".join(_PROPAGATION)
        raise ValueError(f"bind.propagation {shown(spread)} is not one of {words}")
    if "target" not in value:
        raise ValueError("target, the path in the container, is missing")
    read_only = str(value.get("read_only")).lower() == "true"
    return _checked(str(kind), source, value["target"], read_only)


def _checked(kind: str, source: str | None, target: object, read_only: bool) -> Mount:
    path = _target(target)
    if source and holds_controls(source):
        raise ValueError(f"the source {shown(source)} holds a control character")
    if kind == "bind" and not source:
        raise ValueError("source, the path of the host, is missing")
    if kind == "tmpfs" and source:
        raise ValueError("a tmpfs has no source")
    if kind == "volume" and source and len(source) > LONGEST_VOLUME:
        raise ValueError(f"{shown(source)} is longer than {LONGEST_VOLUME} characters")
    if kind == "volume" and source and not _VOLUME_NAME.fullmatch(source):
        raise ValueError(
            f"{shown(source)} is not the name of a volume (letters, digits, _ . -); "
            "a path of the host starts with ./, ../ or /"
        )
    return Mount(kind, path, source, read_only)


def _target(target: object) -> str:
    if isinstance(target, str) and _DRIVE.match(target):
        why = "the target is a path of Windows, as Docker Compose reads it, too"
        raise ValueError(f"{why}; a volume's name has two characters or more")
    if not isinstance(target, str) or not target.startswith("/"):
        raise ValueError(f"the target {shown(target)} is not an absolute path of the container")
    if holds_controls(target):
        raise ValueError(f"the target {shown(target)} holds a control character")
    if len(target) > LONGEST_PATH:
        raise ValueError(f"the target {shown(target)} is longer than {LONGEST_PATH} characters")
    return target
