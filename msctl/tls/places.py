"""Where a stack's own authority is."""

from __future__ import annotations

from pathlib import Path

from msctl.files import wholefile

FOLDER = Path(".msctl") / "tls"
"""From the stack file's folder."""
AUTHORITY = "ca.pem"
"""The certificate by which clients trust the authority."""


def authority_file(folder: Path) -> Path:
    return folder / FOLDER / AUTHORITY


def read_authority(folder: Path) -> str | None:
    """Its certificate, as PEM; None where there is none.

    Raises:
        StepFailed: it cannot be read.
    """
    return wholefile.read(authority_file(folder))
