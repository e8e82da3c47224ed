"""One thing that is wrong with a stack, and which of them is worse. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
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


def folded(problems: Iterable[Problem]) -> Iterator[Problem]:
    """What concerns many replicas of a service alike, or many images, as one; in order."""
    for _, found in groupby(problems, key=_alike):
        first, *more = found
        if not more:
            yield first
        elif first.kind == "stand_in":
            names = ", ".join(str(problem.service) for problem in (first, *more))
            text = f"stand-ins, built in place of the official images, run for {names}"
            hint = first.hint and first.hint.removesuffix(f" {first.service}")
            yield replace(first, message=text, hint=hint)
        else:
            yield replace(first, message=f"{first.message} (and {len(more)} more like this)")


def _alike(problem: Problem) -> tuple[str | None, ...]:
    service = None if problem.kind == "stand_in" else problem.service
    return problem.severity, problem.kind, service


def about(severity: Severity, kind: str, found: Replica, word: str, hint: str) -> Problem:
    return Problem(severity, kind, found.service, found.name, f"{found.name} {word}", hint)
