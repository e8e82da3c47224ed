"""How an image is built."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from msctl.fields import (
    Environment,
    FilePath,
)
from msctl.model.record import Record, short


class Build(Record):
    """How to build an image."""

    context: FilePath
    """Folder with the sources, from the stack file's folder."""
    dockerfile: FilePath | None = None
    """File in the context (Dockerfile)."""
    args: Environment = Field(default_factory=dict)
    """Build arguments."""


BuildField = Annotated[Build, short("context", Build)]
