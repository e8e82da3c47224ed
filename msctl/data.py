"""Data on stdout, as a script reads it; loads nothing of what a terminal takes."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any, TextIO


def write_json(record: Mapping[str, Any], *, indent: int | None = 2) -> None:
    """One record; without an indent, one line. ASCII, whatever the locale."""
    write(json.dumps(record, indent=indent) + "\n")


def write(text: str) -> None:
    """The text as it is, in UTF-8 whatever the locale."""
    stream: TextIO = sys.stdout
    stream.flush()
    if (binary := getattr(stream, "buffer", None)) is None:
        stream.write(text)
    else:
        binary.write(text.encode("utf-8", "replace"))
    stream.flush()
