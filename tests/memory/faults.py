"""Faults that a test plants in the world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from msctl.errors import EngineUnreachable, StepFailed
from msctl.plan import Step


class Killed(BaseException):
    """The command's process is gone; nothing of it runs any more."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one action.

    `at` counts the actions that were tried in the world, from 1; `verb` and `target`, when given,
    choose the action by what it is instead.
    """

    kind: Literal["fail", "unreachable", "interrupt", "kill", "slow"]
    at: int | None = None
    verb: str | None = None
    target: str | None = None
    when: Literal["before", "within", "after"] = "before"
    """Whether the engine has done the action; `within`: the first half of an action of two."""
    seconds: float = 0.0
    """How long a slow action takes, in virtual time."""

    def meets(self, number: int, step: Step) -> bool:
        if self.at is not None:
            return number == self.at
        by_verb = self.verb is None or step.verb == self.verb
        return by_verb and (self.target is None or step.target == self.target)

    def strike(self, step: Step) -> None:
        match self.kind:
            case "fail":
                raise StepFailed(f"{step.verb} {step.target}: the engine says no (planted)")
            case "unreachable":
                raise EngineUnreachable("no Docker engine answers (planted)")
            case "interrupt":
                raise KeyboardInterrupt
            case "kill":
                raise Killed
            case "slow":
                return
