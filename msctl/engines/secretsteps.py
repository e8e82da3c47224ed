"""Steps about secrets and passwords, which lie beside the stack file whatever runs the stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from msctl.frozen import dataclass
from msctl.plan import Step


@dataclass(frozen=True, kw_only=True)
class WriteSecret(Step):
    """Have a secret's file beside the stack file; a new secret is random."""

    verb: ClassVar[str] = "write secret"
    path: str
    """Absolute path of the file."""
    secret: str
    """Name of the secret that goes into the file."""
    template: str | None = None


@dataclass(frozen=True, kw_only=True)
class StageSecret(Step):
    """Keep a new random value aside; one that an interrupted rotation left is taken again, since
    somebody may have been told of it."""

    verb: ClassVar[str] = "make a new value of secret"
    folder: str
    """Absolute path of the folder of secrets."""


@dataclass(frozen=True, kw_only=True)
class TellSecret(Step):
    """Run a command in a container that takes the new value over."""

    verb: ClassVar[str] = "tell the new value to"
    secret: str
    folder: str
    command: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RotateSecret(Step):
    """Put the new value in the place of the old one, and into the files made from a template."""

    verb: ClassVar[str] = "rotate secret"
    folder: str
    files: Mapping[str, str | None]
    """Names of the files with the secret in them, and their templates."""


@dataclass(frozen=True, kw_only=True)
class MakePassword(Step):
    """Have a user's password, random when it is new, and its hash."""

    verb: ClassVar[str] = "make password of"
    new: bool
    """Whether there is none; else only its hash is missing or another one's."""
    fresh: bool = False
    """Whether one that is there is to be replaced by another."""
