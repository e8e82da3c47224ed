"""How a stack file is laid out: short lists and mappings on one line, as people write them."""

from __future__ import annotations

from typing import Any

from msctl.render.document import OnOneLine, dump

_LONGEST = 72
_A_LINE_EACH = {"services", "gateway", "env", "labels", "x-compose"}
"""Keys whose mappings have a line for each entry."""


def laid_out(stack: Any, path: tuple[str, ...] = ()) -> Any:
    """A stack file's data with what belongs on one line marked so."""
    is_service = len(path) == 2 and path[0] == "services"
    block = not path or is_service or (path[-1] in _A_LINE_EACH and isinstance(stack, dict))
    if not isinstance(stack, dict | list) or not stack:
        return stack
    if not block and _is_short(stack):
        return OnOneLine(stack)
    if isinstance(stack, dict):
        return {key: laid_out(value, (*path, str(key))) for key, value in stack.items()}
    return [laid_out(value, (*path, "")) for value in stack]


def _is_short(value: Any) -> bool:
    lines = dump({"key": OnOneLine(value)}).splitlines()
    return len(lines) == 1 and len(lines[0]) <= _LONGEST
