"""Stack file → `Stack`, or every problem of the file with its line and path."""

from msctl.config.files import (
    LoadedStack,
    blank_references,
    find_stack_file,
    load,
    places,
    refusal,
)
from msctl.config.loader import load_text

__all__ = [
    "LoadedStack",
    "blank_references",
    "find_stack_file",
    "load",
    "load_text",
    "places",
    "refusal",
]
