"""Compose's `deploy`, and the limits of older files → resources, restart, rollout."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from msctl.model import Service

if TYPE_CHECKING:
    from msctl.importing.services import Draft

_UPDATES = {"order": "order", "monitor": "monitor", "parallelism": "surge"}
_CARRIED = {"replicas", "resources", "restart_policy", "update_config"}
_WHY_NOT_DEPLOYED = dict.fromkeys(
    ("mode", "placement", "endpoint_mode", "labels", "rollback_config"), "it is Swarm's"
)


def deploy_of(draft: Draft, value: Any) -> None:
    """How much it may use, when it is started again, how it is replaced; the count comes later."""
    deploy = value if isinstance(value, dict) else {}
    resources = deploy.get("resources") or {}
    limits, reserved = resources.get("limits") or {}, resources.get("reservations") or {}
    _resources(draft, _amounts(limits), _amounts(reserved))
    if "devices" in reserved:
        devices = reserved["devices"]
        draft.passed["deploy"] = {"resources": {"reservations": {"devices": devices}}}
    if "pids" in limits:
        place = draft.entry if "pids_limit" in Service.model_fields else draft.passed
        place["pids_limit"] = limits["pids"]
    if "restart_policy" in deploy and "restart" not in draft.raw:
        policy = deploy["restart_policy"] or {}
        names = {"none": "no", "any": "always"}
        condition = policy.get("condition", "any")
        attempts = policy.get("max_attempts")
        name = names.get(condition, condition)
        limited = attempts and name == "on-failure"
        draft.entry["restart"] = f"{name}:{attempts}" if limited else name
    _rollout(draft, deploy.get("update_config"))
    for key in deploy:
        usual = key == "mode" and deploy[key] == "replicated"
        if key not in _CARRIED and not usual:
            draft.source.not_carried((*draft.at, "deploy", key), _WHY_NOT_DEPLOYED.get(key, ""))


def _rollout(draft: Draft, value: Any) -> None:
    """How replicas are replaced; Docker Compose itself takes no notice of it."""
    found: dict[str, Any] = {}
    for key, setting in value.items() if isinstance(value, dict) else ():
        if key not in _UPDATES:
            draft.source.not_carried((*draft.at, "deploy", "update_config", key))
        elif (name := _UPDATES[key]) != "surge" or draft.source.resolved(setting) not in "01":
            found[name] = setting
    if found:
        draft.entry["rollout"] = found


def _amounts(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _size(values[key]) for key in ("cpus", "memory") if values.get(key)}


def _size(value: Any) -> Any:
    """`0.50` as text is a number; sizes are written as they are."""
    text = str(value)
    return float(text) if re.fullmatch(r"\d+\.\d+", text) else value


def _resources(draft: Draft, limits: dict[str, Any], reserved: dict[str, Any]) -> None:
    found = draft.entry.setdefault("resources", {})
    found |= limits
    if reserved:
        found["reserve"] = {**found.get("reserve", {}), **reserved}
    if not found:
        del draft.entry["resources"]


def limit(key: str, *, reserve: bool = False) -> Callable[[Draft, Any], None]:
    """Reads a limit that stands beside `deploy`, as in version 2 of the format."""

    def keep(draft: Draft, value: Any) -> None:
        amounts = _amounts({key: value})
        _resources(draft, {} if reserve else amounts, amounts if reserve else {})

    return keep
