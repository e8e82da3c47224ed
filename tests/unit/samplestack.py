"""MusicShare, as compose/stack.yaml has it and as it is rendered."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from msctl.config import load
from msctl.model import Stack
from msctl.render.compose import document

FOLDER = Path(__file__).parents[2] / "compose"
STACK_FILE = FOLDER / "stack.yaml"


def read(*, keep_variables: bool = False) -> Stack:
    return load(STACK_FILE, {}, keep_variables=keep_variables).stack


@cache
def rendered() -> dict[str, Any]:
    return document(read())


def service(name: str) -> dict[str, Any]:
    found: dict[str, Any] = rendered()["services"][name]
    return found
