"""How an image is built."""

from typing import Annotated

from msctl.fields import (
    Environment,
    FilePath,
)
from msctl.model.forms import short
from msctl.records import Record, key


class Build(Record):
    """How to build an image."""

    context: FilePath
    """Folder with the sources, from the stack file's folder."""
    dockerfile: FilePath | None = None
    """File in the context (Dockerfile)."""
    args: Environment = key(factory=dict)
    """Build arguments."""


BuildField = Annotated[Build, short("context", Build)]
