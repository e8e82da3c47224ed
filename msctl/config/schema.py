"""The JSON Schema of the stack file, made from the model, so that editors complete the file."""

from __future__ import annotations

import ast
import inspect
from datetime import timedelta
from itertools import pairwise
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import to_jsonable_python

from msctl.fields import NAME_RULE, show_duration
from msctl.model import Record, Stack

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_EXTENSIONS: dict[str, Any] = {"^x-": {}}
_VARIABLE = r"\$"


class _Generator(GenerateJsonSchema):
    """Defaults as one would write them in the file."""

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, timedelta):
            return show_duration(dft)
        if isinstance(dft, BaseModel):
            return dft.model_dump(mode="json", exclude_defaults=True)
        return to_jsonable_python(dft)


def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a stack file with all of this version's keys."""
    found = Stack.model_json_schema(schema_generator=_Generator)
    _document(found)
    for record in _nodes(found):
        if record.get("additionalProperties") is False:
            _tidy(record)
    services = found["properties"]["services"]
    services |= {"propertyNames": {"pattern": f"^{NAME_RULE}$"}, "minProperties": 1}
    return {"$schema": _DIALECT, **found, "title": "msctl stack file"}


def _document(found: dict[str, Any]) -> None:
    """Give every key its description: the text below it in the model's source.

    pydantic can do that itself, when it makes the classes; but it takes as long as all the rest of
    a command's start, and only the schema needs it.
    """
    for known in Record.__subclasses__():
        record = found if known is Stack else found["$defs"].get(known.__name__, {})
        (definition,) = ast.parse(inspect.getsource(known)).body
        assert isinstance(definition, ast.ClassDef)
        for field, text in pairwise(definition.body):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(text, ast.Expr)
                and isinstance(text.value, ast.Constant)
                and isinstance(text.value.value, str)
            ):
                description = inspect.cleandoc(text.value.value)
                key = known.model_fields[field.target.id].alias or field.target.id
                record["properties"][key]["description"] = description


def _nodes(node: Any) -> list[dict[str, Any]]:
    """A schema and all those within it."""
    if isinstance(node, list):
        return [inner for item in node for inner in _nodes(item)]
    if not isinstance(node, dict):
        return []
    return [node, *(inner for item in node.values() for inner in _nodes(item))]


def _tidy(record: dict[str, Any]) -> None:
    record["patternProperties"] = _EXTENSIONS
    properties = record["properties"]
    for key in [key for key, value in properties.items() if _is_to_come(value)]:
        del properties[key]
    for value in properties.values():
        value.pop("title", None)
        if value.get("default", ...) in (None, {}, []):
            del value["default"]
        _without_null(value)
        _with_short_forms(value)


def _is_to_come(value: dict[str, Any]) -> bool:
    return value.get("not") == {}


def _without_null(value: dict[str, Any]) -> None:
    """Take null away: in the file, a key without a value is an error."""
    if "anyOf" not in value:
        return
    value["anyOf"] = [option for option in value["anyOf"] if option != {"type": "null"}]
    if len(value["anyOf"]) == 1:
        value |= value.pop("anyOf")[0]


def _with_short_forms(value: dict[str, Any]) -> None:
    """Allow `${VAR}` where only some texts are, and a single item where a list is."""
    for node in _nodes(value):
        if "pattern" in node:
            node["pattern"] += f"|{_VARIABLE}"
        if "enum" in node:
            node["anyOf"] = [{"enum": node.pop("enum")}, {"type": "string", "pattern": _VARIABLE}]
    if value.get("type") == "array":
        items = value.pop("items")
        del value["type"]
        value["anyOf"] = [{"type": "array", "items": items}, *items.get("anyOf", [items])]
