"""Steps without meaning, and a performer that does with them what a test says."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import field
from typing import ClassVar

from msctl.errors import StepFailed
from msctl.frozen import dataclass
from msctl.plan import Step, Wait


@dataclass(frozen=True, kw_only=True)
class Do(Step):
    verb: ClassVar[str] = "do"


@dataclass(frozen=True, kw_only=True)
class Await(Wait):
    verb: ClassVar[str] = "await"


@dataclass(frozen=True, kw_only=True)
class Ask(Wait):
    """A wait on something without an event stream."""

    verb: ClassVar[str] = "ask"
    poll: ClassVar[float | None] = 0.01


Deed = Callable[[Callable[[str], None]], None]


@dataclasses.dataclass
class Script:
    """A performer that does what a test says, and writes down what it was asked for."""

    deeds: dict[str, Deed] = field(default_factory=dict)
    ready: set[str] = field(default_factory=set)
    """Targets whose waits are over."""
    dead: dict[str, StepFailed] = field(default_factory=dict)
    """Targets whose waits can never be over."""
    now: float = 0.0
    on_look: Callable[[Wait], object] = id
    did: list[str] = field(default_factory=list)
    looks: int = 0
    most_at_once: int = 0
    watching: int = 0
    changed: Callable[[], object] = object
    _at_once: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def clock(self) -> float:
        return self.now

    def perform(self, step: Step, tell: Callable[[str], None]) -> None:
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            if deed := self.deeds.get(step.target):
                deed(tell)
            with self._lock:
                self.did.append(step.target)
        finally:
            with self._lock:
                self._at_once -= 1

    @contextmanager
    def watch(self, changed: Callable[[], None]) -> Iterator[Script]:
        self.watching += 1
        self.changed = changed
        try:
            yield self
        finally:
            self.watching -= 1

    def reached(self, wait: Wait) -> bool:
        self.looks += 1
        self.on_look(wait)
        if wait.target in self.dead:
            raise self.dead[wait.target]
        return wait.target in self.ready

    def progress(self, wait: Wait) -> str | None:  # noqa: ARG002
        return None

    def why_not(self, wait: Wait) -> StepFailed:
        return StepFailed(f"{wait.target} took too long")
