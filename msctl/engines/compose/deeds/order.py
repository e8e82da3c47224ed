"""What an image is built of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from msctl.frozen import dataclass


@dataclass(frozen=True)
class Order:
    """An image to be built, by whichever builder."""

    reference: str
    folder: Path | None = None
    """The context; None where all that there is is given."""
    dockerfile: str = "Dockerfile"
    """Relative to the folder."""
    given: bytes = b""
    """A tar archive with everything, or a Dockerfile that needs nothing."""
    archive: bool = False
    """Whether it is the former."""
    args: Mapping[str, str] = field(default_factory=dict)
    target: str = ""

    @classmethod
    def of(cls, reference: str, build: Mapping[str, Any]) -> Order:
        """Compose's `build`, with an absolute context."""
        args = {name: str(v) for name, v in (build.get("args") or {}).items() if v is not None}
        target = str(build.get("target") or "")
        if (text := build.get("dockerfile_inline")) is not None:
            return cls(reference, given=str(text).encode(), args=args, target=target)
        dockerfile = str(build.get("dockerfile") or "Dockerfile")
        return cls(reference, Path(str(build["context"])), dockerfile, args=args, target=target)


class BuildFailed(Exception):
    """A builder's reason."""


def silent(seconds: float) -> BuildFailed:
    """What is said of a build that says nothing itself."""
    return BuildFailed(f"it said nothing for {seconds:g} s, and was given up")
