"""The operations of a stack on a cluster."""

from __future__ import annotations

from typing import ClassVar

from msctl.engines.kubernetes.kinds import Data, Kind
from msctl.frozen import dataclass
from msctl.plan import Step, Wait

POLL = 2.0
"""Seconds between two looks at what waits, where no watch tells of a change."""


@dataclass(frozen=True, kw_only=True)
class ApplyObject(Step):
    """Server-side apply of one object."""

    verb: ClassVar[str] = "apply"
    body: Data
    force: bool = False
    """Whether it takes fields back that msctl wrote in another way; never those of others."""


@dataclass(frozen=True, kw_only=True)
class ScaleWorkload(Step):
    """Set a workload's replicas, by its subresource `scale`."""

    verb: ClassVar[str] = "scale"
    kind: Kind
    name: str
    replicas: int


@dataclass(frozen=True, kw_only=True)
class RestartWorkload(Step):
    """Have every pod replaced by a copy of itself."""

    verb: ClassVar[str] = "restart"
    kind: Kind
    name: str


@dataclass(frozen=True, kw_only=True)
class TakeBackRestart(Step):
    """Have the pods of before a restart back."""

    verb: ClassVar[str] = "take back restart of"
    kind: Kind
    name: str
    stamp: str | None
    """The mark of the restart before; None: there was none."""


@dataclass(frozen=True, kw_only=True)
class DeleteObject(Step):
    verb: ClassVar[str] = "delete"
    kind: Kind
    name: str


@dataclass(frozen=True, kw_only=True)
class AwaitRollout(Wait):
    """Wait until every replica of a workload is new and ready; a job, until it has ended well."""

    verb: ClassVar[str] = "await rollout of"
    poll: ClassVar[float | None] = POLL
    kind: Kind
    name: str
    stale: str = ""
    """When the workload was given up that it was before; that says nothing of what it is now."""


@dataclass(frozen=True, kw_only=True)
class AwaitGone(Wait):
    """Wait until an object is not there any more, with all that a controller made for it."""

    verb: ClassVar[str] = "await removal of"
    poll: ClassVar[float | None] = POLL
    kind: Kind
    name: str | None
    """None: everything of that kind that carries the stack's labels."""
