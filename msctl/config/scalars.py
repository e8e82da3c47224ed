"""What a plain YAML scalar means: the rules of Compose's YAML library (Go's yaml.v3).

Only `true` and `false` are booleans; `on`, `no` and `8080:22` are text. Dates stay text, too,
as they are written. Integers may be octal (`0755`, `0o755`), hexadecimal or binary.
"""

from __future__ import annotations

import math
import re

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGERS = (
    (10, re.compile(r"[-+]?(?:0|[1-9][0-9]*)")),
    (16, re.compile(r"[-+]?0[xX][0-9a-fA-F]+")),
    (2, re.compile(r"[-+]?0[bB][01]+")),
    (8, re.compile(r"[-+]?0[oO]?[0-7]+")),
)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_LONGEST = 400
"""Characters of the longest number that is looked at; what is longer is text."""


def plain(text: str) -> str | int | float | bool | None:
    """The value of an unquoted scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789" or text == "-0" or len(text) > _LONGEST:
        return text
    if _SPECIAL.fullmatch(text):
        return float(text.replace(".", ""))
    digits = text.replace("_", "")
    for base, pattern in _INTEGERS:
        if pattern.fullmatch(digits):
            value = int(re.sub("0[oO]", "0", digits) if base == 8 else digits, base)
            if -(2**63) <= value < 2**64:
                return value
    if _FLOAT.fullmatch(digits) and math.isfinite(number := float(digits)):
        return number
    return text
