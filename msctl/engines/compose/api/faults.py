"""What the engine refuses."""

from __future__ import annotations

from msctl.errors import MsctlError


class EngineFault(MsctlError):
    """The engine refused a call; `status` is the HTTP status of its answer."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
