"""A service to change."""

from __future__ import annotations

from typing import Any

from memory.stacks import stack_of

from msctl.model import Stack

CHECKED = {"health": {"command": ["true"]}}
BOUNDED = {"replicas": {"initial": 2, "min": 2, "max": 4}}
ROUTED = {"port": 80, "routes": ["/"], "health": {"path": "/health"}}


def web(**changes: Any) -> Stack:
    """A service of three replicas."""
    return stack_of({"web": {"replicas": 3, **changes}})
