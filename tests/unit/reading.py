"""A stack file in memory, read."""

from __future__ import annotations

from typing import Any

from msctl.config import load_text
from msctl.errors import StackFileError
from msctl.model import Stack

SMALL = "name: shop\nservices: {web: {image: a}}\n"


def read(text: str | bytes, **options: Any) -> Stack:
    return load_text(text, name="stack.yaml", **{"environ": {}, **options})


def problems(text: str | bytes, **options: Any) -> tuple[str, ...]:
    """What is wrong with a file; nothing: it is accepted."""
    try:
        read(text, **options)
    except StackFileError as error:
        return error.problems
    return ()
