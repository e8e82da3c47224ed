"""What every engine offers: the seam between the commands and what runs the stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from msctl.execute import Performer
from msctl.plan import Plan
from msctl.state import EngineInfo, StackState


@dataclass(frozen=True)
class Up:
    """Converge to the stack file."""

    services: tuple[str, ...] = ()
    """Only these, and what they need that is not healthy; all when empty."""
    build: bool = False
    """Build every image that has a build, also when it is present."""
    pull: bool = False
    """Pull every image, also when it is present."""
    reset_scale: bool = False
    """Forget manual scales."""
    remove_orphans: bool = False
    """Remove the project's containers that neither msctl made nor the file names."""
    timeout: float | None = None
    """Seconds for each wait; None: the service's `rollout.health_timeout`."""
    dry_run: bool = False
    """The plans will be shown, not run."""


@dataclass(frozen=True)
class Scale:
    """Change how many replicas services have, and nothing else."""

    counts: Mapping[str, int]
    cause: str = "scale"
    timeout: float | None = None


@dataclass(frozen=True)
class Down:
    """Remove what is ours."""

    volumes: bool = False
    remove_orphans: bool = False


Request = Up | Scale | Down


@dataclass(frozen=True)
class LogLine:
    """A line that a container wrote."""

    replica: str
    text: str
    at: datetime | None = None


class Engine(Performer, Protocol):
    """Runs one stack."""

    name: str
    """As `--engine` names it."""

    def info(self) -> EngineInfo:
        """The engine that answers.

        Raises:
            EngineUnreachable: none does.
        """

    def observe(self, *, detail: bool = False) -> StackState:
        """A snapshot; `detail` asks about each container too, which takes longer."""

    def plans(self, request: Request) -> Iterator[Plan]:
        """The plans that fulfil a request, each made when the one before has been run.

        Raises:
            UsageProblem: the request cannot be accepted; nothing was changed.
        """

    def logs(
        self, services: tuple[str, ...], *, follow: bool = False, tail: int | None = None
    ) -> Iterator[LogLine]:
        """Log lines of the services' replicas (all when none is named), merged."""
