"""The JSON Schema of the stack file, made from the model, so that editors complete the file."""

from __future__ import annotations

import ast
import copy
import inspect
from collections.abc import Mapping
from itertools import pairwise
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from msctl.fields import NAME_RULE
from msctl.model import Stack
from msctl.records import Check, Key, Record, Schema, written_as

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_EXTENSIONS: dict[str, Any] = {"^x-": {}}
_VARIABLE = r"\$"
_SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean"}


def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a stack file with all of this version's keys."""
    definitions: dict[str, dict[str, Any]] = {}
    found = _mapping(Stack, definitions)
    services = found["properties"]["services"]
    services |= {"propertyNames": {"pattern": f"^{NAME_RULE}$"}, "minProperties": 1}
    return {"$schema": _DIALECT, "$defs": definitions, **found, "title": "msctl stack file"}


def _mapping(record: type[Record], definitions: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A record's own schema."""
    texts = _descriptions(record)
    keys = [key for key in record.keys.values() if key.of_file]
    properties = {key.name: _property(key, definitions) for key in keys}
    for key in keys:
        if text := texts.get(key.attribute):
            properties[key.name]["description"] = text
    found: dict[str, Any] = {
        "title": record.__name__,
        "description": inspect.cleandoc(record.__doc__ or ""),
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "patternProperties": _EXTENSIONS,
    }
    if required := [key.name for key in keys if key.required]:
        found["required"] = required
    return found


def _property(key: Key, definitions: dict[str, dict[str, Any]]) -> dict[str, Any]:
    found = _with_short_forms(_schema(key.annotation, definitions))
    usual = None if key.required else written_as(key.annotation, key.usual(), given=False)
    return found if usual in (None, {}, []) else {**found, "default": usual}


def _descriptions(record: type[Record]) -> dict[str, str]:
    """What the text below each key says, in the record's source."""
    (definition,) = ast.parse(inspect.getsource(record)).body
    assert isinstance(definition, ast.ClassDef)
    return {
        key.target.id: inspect.cleandoc(text.value.value)
        for key, text in pairwise(definition.body)
        if isinstance(key, ast.AnnAssign)
        and isinstance(key.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def _schema(annotation: Any, definitions: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What may stand for a type. Null is nowhere: in the file, a key has a value."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _marked(args[0], args[1:], definitions)
    if origin in (Union, UnionType):
        options = [_schema(kind, definitions) for kind in args if kind is not NoneType]
        return options[0] if len(options) == 1 else {"anyOf": options}
    if origin is Literal:
        return {"enum": list(args)}
    if origin is tuple:
        return {"type": "array", "items": _schema(args[0], definitions)}
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": _schema(args[1], definitions)}
    if annotation in _SCALARS:
        return {"type": _SCALARS[annotation]}
    if annotation.__name__ not in definitions:
        definitions[annotation.__name__] = {}  # its place, while its keys are looked at
        definitions[annotation.__name__] |= _mapping(annotation, definitions)
    return {"$ref": f"#/$defs/{annotation.__name__}"}


def _marked(
    kind: Any, marks: tuple[Any, ...], definitions: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    for mark in reversed(marks):
        if isinstance(mark, Schema):
            return copy.deepcopy(dict(mark.data))
        if isinstance(mark, Check) and mark.accepts is not None:
            return _schema(mark.accepts, definitions)
    return _schema(kind, definitions)


def _nodes(node: Any) -> list[dict[str, Any]]:
    """A schema and all those within it."""
    if isinstance(node, list):
        return [inner for item in node for inner in _nodes(item)]
    if not isinstance(node, dict):
        return []
    return [node, *(inner for item in node.values() for inner in _nodes(item))]


def _with_short_forms(value: dict[str, Any]) -> dict[str, Any]:
    """Allow `${VAR}` where only some texts are, and a single item where a list is."""
    for node in _nodes(value):
        if "pattern" in node:
            node["pattern"] += f"|{_VARIABLE}"
        if "enum" in node:
            node["anyOf"] = [{"enum": node.pop("enum")}, {"type": "string", "pattern": _VARIABLE}]
    if value.get("type") != "array":
        return value
    items = value["items"]
    return {"anyOf": [value, *items.get("anyOf", [items])]}
