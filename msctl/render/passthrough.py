"""What `x-compose` adds to a rendered service, network or volume."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Data = dict[str, Any]


def with_passed(service: Data, passed: Mapping[str, Any]) -> Data:
    """A rendered service with its `x-compose` in it.

    Mappings are put together; what msctl has rendered itself stays as it is.
    """
    if not passed:
        return service
    networks = passed.get("networks") or {}
    if networks:
        joined = service.get("networks") or []
        passed = {**passed, "networks": {name: networks.get(name) for name in joined}}
        service = {**service, "networks": {}}
    if isinstance(service.get("build"), str) and "build" in passed:
        service = {**service, "build": {"context": service["build"]}}
    limits = ((service.get("deploy") or {}).get("resources") or {}).get("limits")
    if limits and "pids_limit" in passed:
        # Docker Compose refuses it beside other limits; there it means the same.
        passed = dict(passed)
        pids = {"resources": {"limits": {"pids": passed.pop("pids_limit")}}}
        passed["deploy"] = _merged(pids, passed.get("deploy") or {})
    return _merged(service, passed)


def options_of(passed: Mapping[str, Any], section: str, names: list[str]) -> Data:
    """The stack's networks or volumes, each with what `x-compose` says about it."""
    options = passed.get(section) or {}
    return {name: options.get(name) or None for name in names}


def _merged(ours: Data, passed: Mapping[str, Any]) -> Data:
    merged = dict(ours)
    for key, value in passed.items():
        if isinstance(merged.get(key), dict) and isinstance(value, dict):
            merged[key] = _merged(merged[key], value)
        else:
            merged.setdefault(key, value)
    return merged
