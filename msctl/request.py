"""What an operator asks of an engine, as data, and the plans that come of it."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from msctl.frozen import dataclass
from msctl.plan import Outcome, Plan


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
    drain: bool = True
    """Let the requests inside replicas that go end first; without it, a gateway that cannot be
    asked is no reason to refuse."""
    dry_run: bool = False
    """The plans will be shown, not run."""


@dataclass(frozen=True)
class Scale:
    """Change how many replicas services have, and nothing else."""

    counts: Mapping[str, int]
    cause: str = "scale"
    timeout: float | None = None
    drain: bool = True
    """Let the requests inside replicas that go end first; without it, a gateway that cannot be
    asked is no reason to refuse."""


@dataclass(frozen=True)
class Rollout:
    """Replace every replica of a service by the stack file's revision."""

    service: str
    image: str | None = None
    """Another image than the file's, until the next `up`."""
    build: bool = False
    timeout: float | None = None
    drain: bool = True


@dataclass(frozen=True)
class Rollback:
    """Replace every replica by the revision before."""

    service: str
    timeout: float | None = None
    drain: bool = True


@dataclass(frozen=True)
class Restart:
    """Replace every replica by a copy of itself."""

    service: str
    timeout: float | None = None
    drain: bool = True


@dataclass(frozen=True)
class Rotate:
    """Give a secret a new value, and replace every replica that uses it."""

    secret: str
    timeout: float | None = None
    drain: bool = True


@dataclass(frozen=True)
class Down:
    """Remove what is ours."""

    volumes: bool = False
    remove_orphans: bool = False


Request = Up | Scale | Rollout | Rollback | Restart | Rotate | Down

Plans = Generator[Plan, Outcome | None, Any]
"""Each plan is made when the one before has been run; what became of that is sent in. In the end
comes the StackState that the last one was made from, or None where it is not told."""
