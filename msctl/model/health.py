"""How it is found out whether a replica is well."""

from datetime import timedelta
from typing import Annotated, Literal

from msctl.fields import (
    Duration,
    Flag,
    UrlPath,
    check_text,
    shown,
    whole,
    wrong,
)
from msctl.records import Check, Record, Schema

HealthCommand = Annotated[
    Literal["auto", "none"] | tuple[str, ...],
    Check(lambda value: _health_command(value)),
    Schema(
        {
            "anyOf": [
                {"enum": ["auto", "none"]},
                {"type": "array", "items": {"type": ["string", "number", "boolean"]}},
            ]
        }
    ),
]


def _health_command(value: object) -> object:
    if isinstance(value, list | tuple) and value:
        return tuple(check_text(word) for word in value)
    if value not in ("auto", "none"):
        wrong(f"{shown(value)} is not a health command (auto, none, or a list of words)")
    return value


class HealthCheck(Record):
    """How the engine and the gateway find out whether a replica is well."""

    path: UrlPath | None = None
    """Path that answers 2xx or 3xx while the replica is well."""
    interval: Duration = timedelta(seconds=10)
    """Time between two checks."""
    timeout: Duration = timedelta(seconds=5)
    """Time after which a check has failed."""
    retries: Annotated[
        int,
        Check(lambda value: whole(value, "a number of retries (1-100)", 1, 100)),
        Schema({"type": ["integer", "string"], "minimum": 1}),
    ] = 3
    """Failures in a row after which the replica is unhealthy."""
    start_period: Duration = timedelta(0)
    """Time after the start in which failures do not count."""
    command: HealthCommand = "auto"
    """The container's check: auto (wget, curl or python3 of the image), none, or a command."""
    grpc: Flag = False
    """Whether the service answers the gRPC health protocol on its port."""

    def agree(self) -> None:
        if self.command == "auto" and self.path is None and not self.grpc:
            wrong("a health check needs a path, grpc: true, or a command")
        if self.command == "none" and self.path is None:
            wrong("command none needs a path, which the gateway asks")
        for key in ("interval", "timeout"):
            if getattr(self, key) < timedelta(milliseconds=1):
                wrong(f"{key} is shorter than 1ms")
