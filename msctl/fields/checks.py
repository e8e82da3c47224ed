"""What every scalar of the stack file is checked with."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any

from msctl.records import Check, Schema, shown, wrong

_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_LARGEST = 2**53
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROLS_OF_LINES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def is_raw(value: object, keep: bool) -> bool:
    """Whether a value keeps its `${VAR}` on the way to the rendered file."""
    return keep and isinstance(value, str) and "$" in value


def number(value: object, what: str) -> float:
    """A number, also when it came out of a `${VAR}` as text."""
    found = float(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value
    if isinstance(found, bool) or not isinstance(found, int | float):
        wrong(f"{shown(value)} is not {what}")
    if not -_LARGEST <= found <= _LARGEST:  # neither infinite nor NaN
        wrong(f"{shown(value)} is not {what}")
    return found


def whole(value: object, what: str, low: int, high: int | None = None) -> int:
    """A whole number within bounds."""
    found = number(value, what)
    if found != int(found) or found < low or (high is not None and found > high):
        wrong(f"{shown(value)} is not {what}")
    return int(found)


def check_boolean(value: object) -> bool:
    """`true` and `false`, also out of a `${VAR}`, and YAML 1.1's other spellings."""
    words = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or value.lower() not in words:
        wrong(f"{shown(value)} is not true or false")
    return words[value.lower()]


def check_text(value: object) -> str:
    """Text; of a number and of a boolean what Compose makes of them (`1.10` is 1.1)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() <= 64:
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return _as_go_prints(value)
    if not isinstance(value, str):
        wrong(f"{shown(value)} is not text")
    if "\x00" in value:
        wrong(f"{shown(value)} holds a NUL character")
    return value


def _as_go_prints(number: float) -> str:
    """A float as Go's `%v` writes it: that is what a container gets from Compose."""
    exact = Decimal(repr(number)).normalize()
    exponent = exact.adjusted() if exact else 0
    if -4 <= exponent < 6:
        return format(exact, "f")
    return f"{exact.scaleb(-exponent):f}e{exponent:+03d}"


def holds_controls(text: str, *, lines: bool = False) -> bool:
    """Whether a text could paint a terminal or begin a line of its own; with `lines` it may have
    several, and tabs."""
    return (_CONTROLS_OF_LINES if lines else _CONTROLS).search(text) is not None


def no_controls(text: str) -> str:
    """Refuse what no name and no path has to hold: line breaks, NUL, terminal escapes."""
    if holds_controls(text):
        wrong(f"{shown(text)} holds a control character, such as a line break")
    return text


def not_longer(text: str, longest: int) -> None:
    """Refuse a text that no such name or path is as long as."""
    if len(text) > longest:
        wrong(f"{shown(text)} has {len(text)} characters; at most {longest} are possible here")


def matching(
    pattern: re.Pattern[str] | str, what: str, longest: int = 4096
) -> Callable[[object], str]:
    """A check that the whole of a text matches a pattern, and is not longer than that."""
    compiled = re.compile(pattern)

    def check(value: object) -> str:
        if isinstance(value, str):
            not_longer(value, longest)
        if not isinstance(value, str) or not compiled.fullmatch(value):
            wrong(f"{shown(value)} is not {what}")
        return value

    return check


def one_or_many(value: object) -> object:
    """A single value where a list is meant."""
    return value if isinstance(value, list | tuple) else [value]


def names(value: object) -> object:
    """A list of names, or a single one; Compose's mapping of names is told apart."""
    if isinstance(value, dict):
        example = shown(next(iter(value), "name"))
        wrong(f"a mapping is not a list of names; write [{example}]")
    return one_or_many(value)


def schema_of(**schema: Any) -> Schema:
    return Schema(schema)


SCALAR = ["string", "number", "boolean"]
Text = Annotated[str, Check(check_text), schema_of(type=SCALAR)]
Flag = Annotated[bool, Check(check_boolean), schema_of(type=["boolean", "string"])]
