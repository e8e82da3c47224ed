"""A stack behind a gateway, and the flags of that."""

from __future__ import annotations

from typing import Any

from msctl.model import Stack
from msctl.render.traefik import gateway_flags


def stack(*, gateway: dict[str, Any] | None = None, **services: dict[str, Any]) -> Stack:
    return Stack.read(
        {
            "name": "shop",
            "networks": ["front", "back"],
            "gateway": gateway or {},
            "services": services,
        }
    )


def flags(**gateway: Any) -> list[str]:
    return gateway_flags(stack(gateway=gateway, web={"image": "i", "port": 80, "routes": ["/"]}))
