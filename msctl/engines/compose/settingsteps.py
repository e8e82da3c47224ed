"""Steps about the gateway's own settings: its certificate, and the file with them."""

from __future__ import annotations

from typing import ClassVar

from msctl.frozen import dataclass
from msctl.plan import Step, Wait


@dataclass(frozen=True, kw_only=True)
class IssueCertificate(Step):
    """Make the gateway's certificate by the stack's own authority, which is made if need be."""

    verb: ClassVar[str] = "issue certificate of"


@dataclass(frozen=True, kw_only=True)
class WriteSettings(Step):
    """Write the file of the settings; one that is there already says the same."""

    verb: ClassVar[str] = "write settings of"
    digest: str
    """Of what is to be in it; empty where the gateway is to have none."""
    alone: bool = False
    """Whether the gateway does not run yet, so that all others are emptied at once."""


@dataclass(frozen=True, kw_only=True)
class AwaitSettings(Wait):
    """Wait until the gateway has read its settings."""

    verb: ClassVar[str] = "await settings of"
    poll: ClassVar[float | None] = 0.05
    digest: str


@dataclass(frozen=True, kw_only=True)
class EmptySettings(Step):
    """Empty settings that are no more wanted."""

    verb: ClassVar[str] = "end old settings of"
    digest: str


@dataclass(frozen=True, kw_only=True)
class AwaitSettingsEnd(Wait):
    """Wait until the gateway has forgotten old settings; of a user whom both know, the old password
    may count till then."""

    verb: ClassVar[str] = "await end of old settings of"
    poll: ClassVar[float | None] = 0.05
    digest: str
