"""Files of environment variables."""

from __future__ import annotations

from typing import Annotated

from msctl.fields import FilePath, Flag
from msctl.model.record import Record, short


class EnvFile(Record):
    """A file of environment variables."""

    path: FilePath
    """From the stack file's folder."""
    required: Flag = True
    """Whether it has to be there."""


EnvFileField = Annotated[EnvFile, short("path", EnvFile)]
