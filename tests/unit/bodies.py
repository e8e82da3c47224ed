"""The body of the engine's create call for a Compose service."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msctl.engines.compose.body.container import create_body
from msctl.engines.compose.revision import Revision
from msctl.render.canonical import canonical

OLD, NEW = (1, 41), (1, 44)


def revision(service: dict[str, Any], **resources: Any) -> Revision:
    """The revision of a Compose service `web`, normalised as Docker Compose does."""
    whole = canonical(
        {"services": {"web": {"image": "web:1", **service}}, **resources},
        working_dir="/srv/shop",
        project="shop",
    )
    return Revision.of(whole, "web")


def body(
    service: dict[str, Any], *, api: tuple[int, int] = OLD, **resources: Any
) -> dict[str, Any]:
    return create_body(
        revision(service, **resources),
        own_labels={},
        health_timeout=timedelta(seconds=60),
        api=api,
    )
