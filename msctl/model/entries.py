"""Entries of `ports` and `volumes`, as Compose writes them."""

from collections.abc import Callable
from typing import Annotated, Any

from msctl.fields import check_text, is_raw, wrong
from msctl.fields.mounts import parse_mount
from msctl.fields.ports import parse_port
from msctl.records import Check, Schema


def _read_by(parse: Callable[[object], object]) -> Check:
    """An entry of a list of Compose's, in its short or long form, which `parse` understands."""

    def check(value: object, keep: bool) -> object:
        texts = value.values() if isinstance(value, dict) else [value]
        if not any(is_raw(text, keep) for text in texts):
            try:
                parse(value)
            except ValueError as error:
                wrong(str(error))
        return value if isinstance(value, dict) else check_text(value)

    return Check(check, keeps=True)


PortEntry = Annotated[
    str | dict[str, Any],
    _read_by(parse_port),
    Schema({"type": ["string", "integer", "object"]}),
]
MountEntry = Annotated[
    str | dict[str, Any],
    _read_by(parse_mount),
    Schema({"type": ["string", "object"]}),
]
