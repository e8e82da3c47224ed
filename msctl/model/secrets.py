"""Secrets, as files in containers."""

from typing import Annotated

from msctl.fields import (
    LONGEST_PATH,
    Name,
    Text,
    no_controls,
    not_longer,
    shown,
    wrong,
)
from msctl.records import Check, Record, Schema

_ABSOLUTE = {"type": "string", "pattern": "^/"}


def _absolute(value: object) -> str:
    if not isinstance(value, str) or len(value) < 2 or not value.startswith("/"):
        wrong(f"{shown(value)} is not an absolute path of the container")
    not_longer(value, LONGEST_PATH)
    return no_controls(value)


class SecretMount(Record):
    """A secret as a file in the container."""

    name: Name
    """Name of the secret: its file is `.msctl/secrets/NAME`."""
    target: Annotated[str, Check(lambda value: _absolute(value)), Schema(_ABSOLUTE)] | None = None
    """Path in the container (`/run/secrets/NAME`)."""
    template: Text | None = None
    """Content of the file, with `{secret}` where the secret goes; default: the secret alone."""

    rotate: tuple[Text, ...] = ()
    """Command by which a stateful service takes a new value, run in its container; the value is in
    the file that $MSCTL_SECRET_FILE names."""

    def agree(self) -> None:
        if self.template is not None and "{secret}" not in self.template:
            wrong("a template holds {secret} where the secret goes")
