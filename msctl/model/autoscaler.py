"""The autoscaler as a service of the stack."""

from dataclasses import dataclass
from datetime import timedelta

from msctl.fields import Duration, Flag, show_duration, wrong
from msctl.records import Record


class Autoscaler(Record):
    """`msctl autoscale`, run by the stack itself."""

    enabled: Flag = False
    """Whether the stack scales itself."""
    interval: Duration | None = None
    """Time between two decisions, instead of each service's own."""

    def agree(self) -> None:
        if self.interval is not None and not (
            timedelta(seconds=1) <= self.interval <= timedelta(hours=1)
        ):
            wrong(f"interval {show_duration(self.interval)} is not between 1s and 1h")


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
