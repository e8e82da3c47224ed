"""How one Compose file wins over another (compose-go, `override`): mappings are put together, lists
one behind the other, and what stands for the same thing is replaced."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from msctl.fields.mounts import parse_mount
from msctl.fields.ports import parse_port
from msctl.importing.reading.trees import Tree

RESET, OVERRIDE = "!reset", "!override"
TAGS = frozenset({RESET, OVERRIDE})
_REPLACED = {"command", "entrypoint", "test"}
"""Commands: half of one is none."""
_PAIRS = {"environment", "labels", "annotations", "args", "sysctls", "driver_opts", "options"}
_NAMES = {"depends_on": {"condition": "service_started"}, "networks": None}
"""What a name alone stands for."""
_VARIABLE = re.compile(r"\$\{[^}]*\}")


def merged(base: Tree, over: Tree, path: tuple[str, ...] = ()) -> Tree:
    """What comes of two values at one place; `path` is where, from the top."""
    if over.tag == OVERRIDE:
        return over.of(settled(over).value)
    if over.value is None:
        return base
    key = path[-1] if path else ""
    in_service = path[:1] == ("services",) and len(path) > 2
    if in_service and key in _REPLACED:
        return over
    if in_service:
        base, over = _alike(base, over, key)
    if isinstance(base.value, dict) and isinstance(over.value, dict):
        return _mappings(base, over, path)
    if isinstance(base.value, list) and isinstance(over.value, list):
        return _lists(base, over, key if in_service else "")
    return over


def settled(tree: Tree) -> Tree:
    """Without what is reset, where there was nothing to be reset."""
    if isinstance(tree.value, dict):
        kept = {key: settled(e) for key, e in tree.value.items() if e.tag != RESET}
        return tree.of(kept)
    if isinstance(tree.value, list):
        return tree.of([settled(entry) for entry in tree.value if entry.tag != RESET])
    return tree.of(tree.value)


def _mappings(base: Tree, over: Tree, path: tuple[str, ...]) -> Tree:
    if path[-1:] == ("logging",) and _differ(base, over, "driver"):
        return over
    found = dict(base.entries)
    for key, entry in over.entries.items():
        if entry.tag == RESET:
            found.pop(key, None)
        elif key in found:
            found[key] = merged(found[key], entry, (*path, key))
        else:
            found[key] = settled(entry)
    return over.of(found)


def _differ(base: Tree, over: Tree, key: str) -> bool:
    values = [tree.entries[key].value for tree in (base, over) if key in tree.entries]
    return len(set(map(str, values))) > 1


def _alike(base: Tree, over: Tree, key: str) -> tuple[Tree, Tree]:
    """Both in the form that can be put together: a mapping, or a list."""
    if key == "build":
        return _built(base), _built(over)
    if key in _PAIRS:
        return _paired(base), _paired(over)
    if key in _NAMES:
        return _named(base, _NAMES[key]), _named(over, _NAMES[key])
    if isinstance(base.value, list) != isinstance(over.value, list) and not (
        isinstance(base.value, dict) or isinstance(over.value, dict)
    ):
        return base.of(base.items), over.of(over.items)
    return base, over


def _built(tree: Tree) -> Tree:
    return tree.of({"context": tree}) if isinstance(tree.value, str) else tree


def _paired(tree: Tree) -> Tree:
    if not isinstance(tree.value, list):
        return tree
    pairs = [(entry, *str(entry.value).partition("=")) for entry in tree.value]
    return tree.of({name: e.of(text if equals else None) for e, name, equals, text in pairs})


def _named(tree: Tree, meaning: dict[str, str] | None) -> Tree:
    if not isinstance(tree.value, list):
        return tree
    return tree.of({str(entry.value): _meant(entry, meaning) for entry in tree.value})


def _meant(entry: Tree, meaning: dict[str, str] | None) -> Tree:
    said = None if meaning is None else {key: entry.of(value) for key, value in meaning.items()}
    return entry.of(said)


def _lists(base: Tree, over: Tree, key: str) -> Tree:
    identity = _SAME.get(key, str)
    found = {identity(entry.plain()): entry for entry in base.items}
    for entry in over.items:
        found[identity(entry.plain())] = entry
    return over.of(list(found.values()))


def _target(mount: Any) -> str:
    plain = _VARIABLE.sub("v", mount) if isinstance(mount, str) else mount
    try:
        return parse_mount(plain).target.rstrip("/")
    except ValueError:
        return str(mount)


def _port(port: Any) -> str:
    try:
        found = parse_port(port)
    except ValueError:
        return str(port)
    return str(found)


def _file(entry: Any) -> str:
    return str(entry.get("target") or entry.get("source")) if isinstance(entry, dict) else entry


def _device(entry: Any) -> str:
    return str(entry).split(":")[1:2][0] if str(entry).count(":") else str(entry)


_SAME: dict[str, Callable[[Any], str]] = {
    "volumes": _target,
    "ports": _port,
    "secrets": _file,
    "configs": _file,
    "devices": _device,
}
"""By what two entries of a list stand for the same thing, where that is not the whole text."""
