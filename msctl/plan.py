"""A plan: steps as data, each with its target, its cause and what has to be done before it.

A step prints as one line, `start shop-web-3, scale 2 → 5`. Engines define their
own steps; the executor only needs what stands here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import ClassVar

from msctl.errors import MsctlError
from msctl.frozen import dataclass


@dataclass(frozen=True, kw_only=True)
class Step:
    """One operation on the engine."""

    verb: ClassVar[str]
    target: str
    """Name of what is worked on."""
    cause: str = ""
    """Why."""
    service: str = ""
    """The service that it belongs to, if any."""
    changes: tuple[str, ...] = ()
    """What it changes in detail, a line each, for who asks what would be done."""

    def line(self) -> str:
        return f"{self.verb} {self.target}" + (f", {self.cause}" if self.cause else "")


@dataclass(frozen=True, kw_only=True)
class Wait(Step):
    """A step that does nothing but wait for something to become true."""

    timeout: float
    """Seconds after which it has failed."""
    poll: ClassVar[float | None] = None
    """Seconds between two looks, for what has no event stream."""


class OutputLine(str):
    """A line of output of what a step runs. Of all that a step tells, only this is worth showing
    where nothing can be drawn anew."""

    __slots__ = ()


@dataclass(frozen=True)
class Node:
    """A step in its place."""

    id: int
    step: Step
    after: frozenset[int]

    def __str__(self) -> str:
        behind = " after " + " ".join(f"#{i}" for i in sorted(self.after)) if self.after else ""
        return f"#{self.id} {self.step.line()}{behind}"


@dataclass(frozen=True)
class Plan:
    """Steps in an order that respects their dependencies, and remarks for the operator."""

    nodes: tuple[Node, ...] = ()
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.nodes)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __str__(self) -> str:
        return "\n".join(map(str, self.nodes))

    def steps(self) -> list[Step]:
        return [node.step for node in self.nodes]


@dataclass(frozen=True)
class Outcome:
    """What became of a plan's steps, by number."""

    done: frozenset[int]
    failures: Mapping[int, MsctlError]
    skipped: tuple[Node, ...]
    """Steps that were not tried, since one before them failed."""


@dataclasses.dataclass
class Draft:
    """A plan in the making; a step can only come after steps that are already in it."""

    nodes: list[Node] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, step: Step, after: Iterable[int] = ()) -> int:
        """Append a step; returns its number."""
        number = len(self.nodes) + 1
        behind = frozenset(after)
        if any(not 0 < other < number for other in behind):
            raise ValueError(f"{step.line()} comes after a step that is not in the plan")
        self.nodes.append(Node(number, step, behind))
        return number

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def plan(self) -> Plan:
        return Plan(tuple(self.nodes), tuple(self.notes))
