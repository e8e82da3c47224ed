"""Every key of the Compose Specification, each in the smallest file that has it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
_SCHEMAS = files("check_jsonschema") / "builtin_schemas" / "vendor"
SCHEMA: dict[str, Any] = json.loads((_SCHEMAS / "compose-spec.json").read_text())
NAME = "one"
"""Of whatever the file's author gives a name to."""
PLAIN = {"string": "8", "integer": 3, "number": 3, "boolean": True}
_MOST_DEEP = 12


def places(schema: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Where a value may stand, and one that the schema allows there."""
    if "$ref" in schema:
        schema = _named(str(schema["$ref"]))
    for choice in (*schema.get("oneOf", ()), *schema.get("anyOf", ()), *schema.get("allOf", ())):
        yield from places(choice, path)
    types = schema.get("type", ())
    types = [types] if isinstance(types, str) else types
    if "enum" in schema:
        yield path, schema["enum"][-1]
    elif plain := [PLAIN[name] for name in types if name in PLAIN]:
        yield path, plain[0]
    if len(path) > _MOST_DEEP:
        return
    needed = {
        key: value
        for key in schema.get("required", ())
        if key in schema.get("properties", {})
        for _, value in [next(places(schema["properties"][key]))]
    }
    for key, inner in _entries(schema).items():
        yield from ((where, _with(needed, key, v)) for where, v in places(inner, (*path, key)))
    if "items" in schema:
        yield from ((where, [value]) for where, value in places(schema["items"], (*path, 0)))


def _with(needed: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    return {**copy.deepcopy(dict(needed)), key: value}


def _named(reference: str) -> dict[str, Any]:
    found: Any = SCHEMA
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


def _entries(schema: Mapping[str, Any]) -> dict[str, Any]:
    """What a mapping may hold; the keys of an extension are the author's own affair."""
    found = dict(schema.get("properties", {}))
    free = [s for pattern, s in schema.get("patternProperties", {}).items() if pattern != "^x-"]
    more = schema.get("additionalProperties")
    if isinstance(more, dict):
        free.append(more)
    for inner in free:
        found.setdefault(NAME, inner if inner else {"type": "string"})
    return found
