"""What is asked of the server, and how it refuses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class Refusal(Exception):
    """An answer that is no success."""

    def __init__(self, code: int, reason: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.body = {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "code": code,
            "reason": reason,
            "message": message,
            "details": details,
        }


@dataclass(frozen=True)
class Place:
    """What a path names."""

    group: str
    version: str
    plural: str
    namespace: str
    name: str | None
    sub: str | None

    @property
    def resource(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


def parse(path: str) -> Place | None:
    """What a path names; None for one that is none of the API's."""
    parts = path.strip("/").split("/")
    if parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) >= 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    plural, name, sub = [*rest, *[None] * 3][:3]
    return Place(group, version, plural or "", namespace, name, sub)


def conflict(found: list[tuple[str, tuple[str, ...]]]) -> Refusal:
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f'conflict with "{owner}" using apps/v1',
            "field": "." + ".".join(path),
        }
        for owner, path in found
    ]
    message = f"Apply failed with {len(causes)} conflicts"
    return Refusal(409, "Conflict", message, causes=causes)
