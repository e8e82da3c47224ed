"""One thing that is wrong with a stack, and which of them is worse. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
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
    """What concerns many replicas of a service alike, or many services, as one; in order."""
    groups: dict[tuple[str, ...], list[Problem]] = {}
    for problem in problems:
        groups.setdefault(_alike(problem), []).append(problem)
    for first, *more in groups.values():
        hint = first.hint
        if hint and any(problem.service != first.service for problem in more):
            hint = hint.removesuffix(f" {first.service}")
        if not more:
            yield first
        elif first.kind == "stand_in":
            names = ", ".join(str(problem.service) for problem in (first, *more))
            text = f"stand-ins, built in place of the official images, run for {names}"
            yield replace(first, message=text, hint=hint)
        else:
            text = f"{first.message} (and {len(more)} more like this)"
            yield replace(first, message=text, hint=hint)


def _alike(problem: Problem) -> tuple[str, ...]:
    """By service, but for what one command mends, or shows, in all of them: after `docker compose
    stop`, say."""
    service, hint = str(problem.service), problem.hint or ""
    if problem.kind == "stand_in":
        return problem.severity, problem.kind
    if hint.endswith((f" up {service}", " status --watch")):
        said = problem.message.removeprefix(problem.replica or service)
        return problem.severity, problem.kind, said
    return problem.severity, problem.kind, service


def about(severity: Severity, kind: str, found: Replica, word: str, hint: str) -> Problem:
    return Problem(severity, kind, found.service, found.name, f"{found.name} {word}", hint)
