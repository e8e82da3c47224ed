"""Faults that a test can ask for, at start (MISBEHAVE) or while running (POST /_misbehave).

    MISBEHAVE              /_misbehave               effect
    latency=MS             {"latency_ms": 250}       every answer waits
    burn=MS                {"burn_ms": 20}           every answer costs processor time
    status=CODE            {"status": 500}           every answer has this status
    health-fail[=S]        {"health": "fail"}        health fails (from S seconds after the start)
    health-ok=S                                      health fails until S seconds after the start
    crash[=S]              {"crash": true}           dies with status 1 (S seconds after the start)
    start-delay=S                                    listens only after S seconds
    ignore-sigterm         {"ignore_sigterm": true}  goes on after SIGTERM
    die-on-sigterm         {"die_on_sigterm": true}  SIGTERM ends it at once, requests are lost

Health checks get neither latency nor burn nor status; {"status": null} and 0 undo.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """Which faults are on; times are seconds after the start."""

    latency_ms: float = 0
    burn_ms: float = 0
    status: int | None = None
    health_fails_from: float | None = None
    health_fails_until: float | None = None
    crash_at: float | None = None
    start_delay: float = 0
    ignore_sigterm: bool = False
    die_on_sigterm: bool = False

    @classmethod
    def parse(cls, text: str) -> Misbehaviour:
        """From the MISBEHAVE variable; raises ValueError that names what is allowed."""
        faults = cls()
        for switch in filter(None, (part.strip() for part in text.split(","))):
            name, _, argument = switch.partition("=")
            if name not in _SWITCHES:
                raise ValueError(f"{name!r} is not one of {', '.join(sorted(_SWITCHES))}")
            field, convert, default = _SWITCHES[name]
            if not argument and default is None:
                raise ValueError(f"{name} needs a number: {name}=1")
            faults = replace(faults, **{field: convert(argument) if argument else default})
        return faults

    def healthy(self, uptime: float) -> bool:
        """Whether health may be reported as good so many seconds after the start."""
        if self.health_fails_until is not None and uptime < self.health_fails_until:
            return False
        return self.health_fails_from is None or uptime < self.health_fails_from

    def changed(self, body: Mapping[str, Any], uptime: float) -> Misbehaviour:
        """With what a JSON object says; raises ValueError that names what is allowed."""
        changes: dict[str, Any] = {}
        for key, value in body.items():
            match key, value:
                case "latency_ms" | "burn_ms", int() | float() if 0 <= value <= 600_000:
                    changes[key] = float(value)
                case "status", None:
                    changes[key] = None
                case "status", int() if value in range(200, 600):
                    changes[key] = value
                case "health", "ok":
                    changes |= {"health_fails_from": None, "health_fails_until": None}
                case "health", "fail":
                    changes["health_fails_from"] = uptime
                case "crash", bool():
                    changes["crash_at"] = uptime if value else None
                case "ignore_sigterm" | "die_on_sigterm", bool():
                    changes[key] = value
                case _:
                    raise ValueError(f"{key}: {value!r} is not known; see sample/misbehaviour.py")
        return replace(self, **changes)


def _status(text: str) -> int:
    code = int(text)
    if code not in range(200, 600):
        raise ValueError(f"status={text} is not within 200 and 599")
    return code


# switch: the field it sets, how its argument is read, the value without one (None: needs one)
_SWITCHES: dict[str, tuple[str, Callable[[str], Any], Any]] = {
    "latency": ("latency_ms", float, None),
    "burn": ("burn_ms", float, None),
    "status": ("status", _status, None),
    "health-fail": ("health_fails_from", float, 0.0),
    "health-ok": ("health_fails_until", float, None),
    "crash": ("crash_at", float, 0.0),
    "start-delay": ("start_delay", float, None),
    "ignore-sigterm": ("ignore_sigterm", bool, True),
    "die-on-sigterm": ("die_on_sigterm", bool, True),
}
