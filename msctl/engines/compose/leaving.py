"""The mark of a container that is about to be stopped: its name.

The engine goes on with a stop when the msctl that asked for it is killed, and nobody can see that
the container is about to end: until then it runs, and is healthy. So it is renamed first, and the
next msctl knows not to count on it. Docker Compose goes by labels, not by names.
"""

from __future__ import annotations

_MARK = "-leaving"


def marked(name: str) -> str:
    """What a container is called from then on."""
    return name if is_marked(name) else f"{name}{_MARK}"


def is_marked(name: str) -> bool:
    return name.endswith(_MARK)
