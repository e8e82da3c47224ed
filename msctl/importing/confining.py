"""Keys by which containers are confined, in Compose and in the stack file."""

from __future__ import annotations

from typing import Any

FIRST_CLASS: dict[str, Any] = {
    "security_opt": [], "cap_add": [], "cap_drop": [], "read_only": False, "pids_limit": "off",
    "logging": "off", "user": None, "tmpfs": [],
}  # fmt: skip
"""Keys that Compose and the stack file call the same, and what leaves them to the engine."""
