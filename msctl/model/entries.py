"""Entries of `ports` and `volumes`, as Compose writes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo
from pydantic.json_schema import WithJsonSchema

from msctl.fields import check_text, is_raw, wrong
from msctl.fields.mounts import parse_mount
from msctl.fields.ports import parse_port


def _read_by(parse: Callable[[object], object]) -> BeforeValidator:
    """An entry of a list of Compose's, in its short or long form, which `parse` understands."""

    def check(value: object, info: ValidationInfo) -> object:
        texts = value.values() if isinstance(value, dict) else [value]
        if not any(is_raw(text, info) for text in texts):
            try:
                parse(value)
            except ValueError as error:
                wrong(str(error))
        return value if isinstance(value, dict) else check_text(value)

    return BeforeValidator(check)


PortEntry = Annotated[
    str | dict[str, Any],
    _read_by(parse_port),
    WithJsonSchema({"type": ["string", "integer", "object"]}),
]
MountEntry = Annotated[
    str | dict[str, Any],
    _read_by(parse_mount),
    WithJsonSchema({"type": ["string", "object"]}),
]
