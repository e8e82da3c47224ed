"""One thing that is wrong with a stack, and which of them is worse. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msctl.frozen import dataclass
from msctl.state import Replica

Severity = Literal["error", "warning", "info"]
WORST_FIRST: tuple[Severity, ...] = ("error", "warning", "info")
KINDS = (
    "gateway_down", "gateway_api", "socket_proxy", "certificate", "labels", "missing", "exited",
    "dead", "restarting", "paused", "created", "removing", "unhealthy", "routed_unhealthy",
    "not_routed",
    "starting", "flapping", "slow", "oom", "surplus", "pin", "autoscaler", "outdated", "left_file",
    "foreign", "working_dir", "prometheus", "stand_in", "left_out",
)  # fmt: skip
"""The kinds of problems, those first that keep requests from being answered."""


@dataclass(frozen=True)
class Problem:
    """One thing that is not as it should be, and what to type about it."""

    severity: Severity
    kind: str
    service: str | None
    replica: str | None
    message: str
    hint: str | None


def worst_first(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """By severity, then by how much a kind keeps requests from being answered."""
    return tuple(
        sorted(problems, key=lambda p: (WORST_FIRST.index(p.severity), KINDS.index(p.kind)))
    )


def about(severity: Severity, kind: str, found: Replica, word: str, hint: str) -> Problem:
    return Problem(severity, kind, found.service, found.name, f"{found.name} {word}", hint)
