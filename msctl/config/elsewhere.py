"""The project that Docker Compose works on beside a stack file, where it is not the stack's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from msctl.config.environment import PROJECT, dotenv
from msctl.config.files import LoadedStack, read_start


@dataclass(frozen=True)
class Elsewhere:
    """Another project, and what names it."""

    project: str
    file: Path | None
    """The file that names it; None: the environment does."""

    def told(self, named_by: str, stack: str) -> str:
        """What that comes to; `named_by` is what names it, as a user would type it."""
        return (
            f"{named_by} says {PROJECT}={self.project}: docker compose looks at {self.project} "
            f"here, and msctl at {stack}"
        )

    @staticmethod
    def hint(stack: str) -> str:
        """How both come to look at the same."""
        follow = f"name: ${{{PROJECT}:-{stack}}}"
        return f"docker compose -p {stack} ps; to follow it, write {follow} in the stack file"


def elsewhere(loaded: LoadedStack, environ: Mapping[str, str]) -> Elsewhere | None:
    """Where `docker compose` is led to in the stack file's folder; None: to the stack.

    Of `-p`, its variable and the file's `name` the first one counts for it, and a variable that is
    empty is none (compose-go, `cli.ProjectOptions`).
    """
    file = loaded.folder / ".env"
    found, _ = dotenv(str(file), environ, lambda name: read_start(loaded.folder / name))
    project = found(PROJECT)
    if not project or project == loaded.stack.name:
        return None
    return Elsewhere(project, None if PROJECT in environ else file)
