"""What every mapping of the stack file has in common."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator
from pydantic.json_schema import WithJsonSchema

from msctl.fields import (
    shown,
    whole,
    wrong,
)


class Record(BaseModel):
    """A mapping of the stack file: frozen, unknown keys refused, `x-*` left to the user."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _without_extensions(cls, value: Any) -> Any:
        if isinstance(value, cls):
            return value
        if not isinstance(value, dict):
            first = next(iter(cls.model_fields))
            wrong(f"{shown(value)} is not a mapping of keys to values, such as {{{first}: …}}")
        own = {field.alias for field in cls.model_fields.values()}
        return {k: item for k, item in value.items() if not str(k).startswith("x-") or k in own}


def short(key: str, record: type[Record], bare: Any = str) -> BeforeValidator:
    """The short form of a record: a bare value that stands for its key `key`."""

    def expand(value: object) -> object:
        return {key: value} if isinstance(value, str | int | float) else value

    return BeforeValidator(expand, json_schema_input_type=bare | record)


def count_of(what: str) -> Any:
    return BeforeValidator(lambda value: whole(value, what, 1, 1000))


COUNT_SCHEMA = WithJsonSchema({"type": ["integer", "string"], "minimum": 1, "maximum": 1000})
