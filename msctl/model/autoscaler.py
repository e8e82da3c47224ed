"""The autoscaler as a service of the stack."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pydantic import model_validator

from msctl.fields import Duration, Flag, show_duration, wrong
from msctl.model.record import Record


class Autoscaler(Record):
    """`msctl autoscale`, run by the stack itself."""

    enabled: Flag = False
    """Whether the stack scales itself."""
    interval: Duration | None = None
    """Time between two decisions, instead of each service's own."""

    @model_validator(mode="after")
    def _often_enough(self) -> Autoscaler:
        if self.interval is not None and not (
            timedelta(seconds=1) <= self.interval <= timedelta(hours=1)
        ):
            wrong(f"interval {show_duration(self.interval)} is not between 1s and 1h")
        return self


@dataclass(frozen=True)
class Operator:
    """Whose stack it is, on this machine: the autoscaler works as that user does."""

    file: str
    """Absolute path of the stack file."""
    user: str
    """UID:GID."""
    locks: str
    """The folder of this user's locks."""
    image: str
    """The image of the msctl that works here."""
