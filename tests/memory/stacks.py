"""Stacks to plan for."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from msctl.model import Stack

HEALTH = {"path": "/health"}


def stack_of(services: Mapping[str, Any], **more: Any) -> Stack:
    """A stack `shop`; what a service leaves out is an image of its own name."""
    filled = {name: {"image": f"{name}:1", **service} for name, service in services.items()}
    gateway = {"socket_proxy": "off", **more.pop("gateway", {})}  # plans without it are shorter
    return Stack.read({"name": "shop", "services": filled, "gateway": gateway, **more})


def shop(**changes: Mapping[str, Any]) -> Stack:
    """Three tiers behind a gateway: web needs api, api needs the stateful db."""
    services: dict[str, dict[str, Any]] = {
        "web": {"port": 80, "routes": ["/"], "health": HEALTH, "needs": ["api"]},
        "api": {
            "port": 8000,
            "routes": ["/api"],
            "health": HEALTH,
            "needs": ["db"],
            "replicas": 2,
        },
        "db": {
            "stateful": True,
            "volumes": ["data:/data"],
            "health": {"command": ["pg_isready"]},
        },
    }
    services = deepcopy(services)
    for name, change in changes.items():
        services.setdefault(name, {}).update(change)
    return stack_of(services)


def images_of(stack: Stack) -> list[str]:
    """Every image of a stack, the gateway's first."""
    gateway = [stack.gateway.image] if stack.routed else []
    return [*gateway, *dict.fromkeys(service.image for service in stack.services.values())]
