"""Configs and secrets whose contents stand in the Compose file or in a variable → files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msctl.importing.source import Source

CONFIGS, SECRETS = "configs", ".msctl/secrets"
"""Their folders, from the stack file's."""
_PLAIN = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*", re.ASCII)


@dataclass(frozen=True)
class Made:
    """A file that is written beside the stack file."""

    text: str
    private: bool
    """Whether it is a secret."""


def file_of(source: Source, kind: str, name: str, said: Mapping[str, Any]) -> str:
    """The path of a config's or secret's file, from the Compose file's folder.

    Raises:
        ValueError: it has none, and none can be made of it; the message says why.
    """
    if "file" in said:
        file = str(said["file"])
        return file if file.startswith((".", "/", "~", "$")) else f"./{file}"
    if not _PLAIN.fullmatch(name):
        raise ValueError(f"{name} is no name for a file")
    if kind == "configs" and "content" in said:
        text, where = source.resolved(said["content"]), "in this file"
    elif "environment" in said:
        value = source.lookup(variable := str(said["environment"]))
        if value is None:
            raise ValueError(f"{name} is the variable {variable}, which is not set")
        text, where = value, f"in the variable {variable}"
    else:
        raise ValueError(f"{name} is not a file")
    path = f"./{CONFIGS if kind == 'configs' else SECRETS}/{name}"
    if path not in source.made:
        source.made[path] = Made(text, kind == "secrets")
        source.note((kind, name), f"what stands {where} is in the file {path} now")
    return path
