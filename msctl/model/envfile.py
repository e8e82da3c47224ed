"""Files of environment variables."""

from typing import Annotated

from msctl.fields import FilePath, Flag
from msctl.model.forms import short
from msctl.records import Record


class EnvFile(Record):
    """A file of environment variables."""

    path: FilePath
    """From the stack file's folder."""
    required: Flag = True
    """Whether it has to be there."""


EnvFileField = Annotated[EnvFile, short("path", EnvFile)]
