"""Podman, which speaks Docker's API: how it is known, and its list of containers as Docker's.

Podman (4.3 and 5.4 were tried) says nothing of health in it, gives images their whole names, and
tells what has exited from what it has cleaned up since.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msctl.engines.compose import labels
from msctl.engines.compose.api.client import Client

Row = Mapping[str, Any]
WORDS = {
    "healthy": " (healthy)",
    "unhealthy": " (unhealthy)",
    "starting": " (health: starting)",
}
"""The healths that one can ask for, and how Docker writes them behind the status."""


def is_podman(client: Client) -> bool:
    """Whether it is Podman that answers, which calls itself by its name."""
    parts = client.version().get("Components") or ()
    return any(str(part.get("Name")).startswith("Podman") for part in parts)


def as_docker_tells(rows: Iterable[Row], alike: Callable[[str], Iterable[Row]]) -> list[Row]:
    """The rows with health, with the names of images that were asked for, and with one word for
    what has exited; `alike` lists the containers of one health."""
    said = {row["Id"]: word for health, word in WORDS.items() for row in alike(health)}
    return [
        {
            **row,
            "State": "exited" if row["State"] == "stopped" else row["State"],
            "Status": row["Status"] + said.get(row["Id"], ""),
            "Image": _image(row),
        }
        for row in rows
    ]


def _image(row: Row) -> str:
    """`docker.io/library/postgres:15` is the `postgres:15` that its container was made from."""
    found = str(row["Image"])
    try:
        asked = str(json.loads(row["Labels"][labels.REVISION])["service"]["image"])
    except (KeyError, TypeError, ValueError):
        return found
    return asked if found.endswith((f"/{asked}", f"/{asked}:latest")) else found
