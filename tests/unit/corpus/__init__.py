"""Stack files that are wrong, and what msctl says about them; and Docker Compose, to compare with.

`bad_stacks.txt` is a table: `=== title`, the file, `--->`, the whole message.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

COMPOSE = Path(sys.executable).parent / "docker-compose"


@dataclass(frozen=True)
class BadStack:
    """A stack file and everything that msctl says about it."""

    title: str
    text: str
    message: str


def bad_stacks() -> list[BadStack]:
    """The table, in its order."""
    table = (Path(__file__).parent / "bad_stacks.txt").read_text(encoding="utf-8")
    return [_bad_stack(entry) for entry in table.split("=== ")[1:]]


def _bad_stack(entry: str) -> BadStack:
    title, _, rest = entry.partition("\n")
    text, _, message = rest.partition("--->\n")
    return BadStack(title, text, message.rstrip("\n"))


def compose_environment(
    folder: Path, service: str, environ: Mapping[str, str]
) -> dict[str, str | None]:
    """The variables that Docker Compose gives a service, written as the YAML in `service`."""
    (folder / "compose.yaml").write_text(
        f"name: x\nservices:\n  a:\n    image: i\n{service}", encoding="utf-8"
    )
    done = subprocess.run(
        [COMPOSE, "-f", folder / "compose.yaml", "config", "--format", "json"],
        cwd=folder,
        env={"PATH": "/bin", "HOME": str(folder), **environ},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found: dict[str, str | None] = json.loads(done.stdout)["services"]["a"]["environment"]
    # Docker Compose prints a file: a `$` in it is written `$$`.
    return {name: value and value.replace("$$", "$") for name, value in found.items()}
