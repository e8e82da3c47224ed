"""What every engine offers: the seam between the commands and what runs the stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from msctl.execute import Performer
from msctl.frozen import dataclass

if TYPE_CHECKING:
    from msctl.request import Plans, Request
    from msctl.state import EngineInfo, StackState, Usage


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
    on_host: bool
    """Whether the stack's published ports are those of the engine's machine, so that certificate
    and Prometheus are found there."""

    def info(self) -> EngineInfo:
        """The engine that answers.

        Raises:
            EngineUnreachable: none does.
        """

    def observe(self, *, detail: bool = False) -> StackState:
        """A snapshot; `detail` asks about each container too, which takes longer."""

    def usage(self, state: StackState) -> Mapping[str, Usage]:
        """What the running containers of a snapshot take of the machine, by container id.

        What does not answer within two seconds is not in it. Whoever asks again and again does
        not wait for two samples each time.
        """

    def plans(self, request: Request) -> Plans:
        """The plans that fulfil a request, each made when the one before has been run.

        What became of a plan is sent in to get the next one (None: it was only shown).

        Raises:
            UsageProblem: the request cannot be accepted; nothing was changed.
        """

    def logs(
        self,
        services: tuple[str, ...],
        *,
        follow: bool = False,
        tail: int | None = None,
        since: datetime | None = None,
    ) -> Iterator[LogLine]:
        """Log lines of the services' replicas (all when none is named), merged.

        `tail`: the last so many of each. `since`: those written at that time or later, by the
        engine's clock.
        """
