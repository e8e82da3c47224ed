"""Command lines, environments and labels, in the forms that Compose reads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

from msctl.fields.checks import SCALAR, check_text, holds_controls, is_raw, schema_of
from msctl.fields.naming import check_header_name, check_header_value
from msctl.records import Check, shown, wrong
from msctl.shellwords import shell_words


def _command(value: object, keep: bool) -> str | tuple[str, ...]:
    """Words, or one line that is split as a shell would."""
    if isinstance(value, list | tuple):
        return tuple(check_text(word) for word in value)
    line = check_text(value)
    if not is_raw(line, keep):
        try:
            shell_words(line)
        except ValueError as error:
            wrong(f"{shown(line)} is not a command line: {error}; a list of words needs no quotes")
    return line


def _environment(value: object) -> dict[str, str | None]:
    """A mapping, or a list of `NAME=value`; a name alone takes its value from the environment."""
    if isinstance(value, list | tuple):
        value = _listed(value)
    if not isinstance(value, dict):
        wrong(f"{shown(value)} is not a mapping of names to values")
    for name in value:
        if not isinstance(name, str) or not re.fullmatch(r"[^=\s]+", name) or holds_controls(name):
            wrong(f"{shown(name)} is not the name of a variable")
    return {name: None if item is None else check_text(item) for name, item in value.items()}


def _listed(entries: Sequence[object]) -> dict[str, str | None]:
    """The mapping that a list of `NAME=value` stands for."""
    found: dict[str, str | None] = {}
    for entry in entries:
        name, equals, content = check_text(entry).partition("=")
        if name in found:
            wrong(f"{shown(name)} is given twice")
        found[name] = content if equals else None
    return found


def _labels(value: object) -> dict[str, str]:
    if isinstance(value, list | tuple):
        value = _listed(value)
    if not isinstance(value, dict):
        wrong(f"{shown(value)} is not a mapping of labels to values")
    for name in value:
        if not isinstance(name, str) or not name or holds_controls(name):
            wrong(f"{shown(name)} is not the name of a label")
        if name.startswith(("com.docker.compose.", "dev.msctl.")):
            wrong(f"{shown(name)} is a label that msctl sets itself")
    return {name: "" if item is None else check_text(item) for name, item in value.items()}


Command = Annotated[
    str | tuple[str, ...],
    Check(_command, keeps=True),
    schema_of(anyOf=[{"type": "string"}, {"type": "array", "items": {"type": SCALAR}}]),
]
_MAP_OR_LIST: dict[str, Any] = {
    "anyOf": [
        {"type": "object", "additionalProperties": {"type": [*SCALAR, "null"]}},
        {"type": "array", "items": {"type": "string"}},
    ]
}
Environment = Annotated[dict[str, str | None], Check(_environment), schema_of(**_MAP_OR_LIST)]
Labels = Annotated[dict[str, str], Check(_labels), schema_of(**_MAP_OR_LIST)]


def _headers(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        wrong(f"{shown(value)} is not a mapping of header names to values")
    return {check_header_name(name): check_header_value(item) for name, item in value.items()}


HeaderMap = Annotated[
    dict[str, str],
    Check(_headers),
    schema_of(type="object", additionalProperties={"type": SCALAR}),
]
