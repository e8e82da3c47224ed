"""Compose's `deploy`, and the limits of older files → resources, restart, rollout."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from msctl.importing.services.draft import Draft
from msctl.model import Service

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
        place = draft.entry if "pids_limit" in Service.keys else draft.passed
        place["pids_limit"] = limits["pids"]
    if "generic_resources" in reserved:
        at = (*draft.at, "deploy", "resources", "reservations", "generic_resources")
        draft.source.not_carried(at, "it is Swarm's")
    if "restart_policy" in deploy:
        _restart(draft, deploy["restart_policy"] or {})
    _rollout(draft, deploy.get("update_config"))
    for key in deploy:
        usual = key == "mode" and deploy[key] == "replicated"
        if key not in _CARRIED and not usual:
            draft.source.not_carried((*draft.at, "deploy", key), _WHY_NOT_DEPLOYED.get(key, ""))


def restarts_by_deploy(service: Mapping[str, Any]) -> bool:
    """Whether `deploy` says when a service is started again: then `restart` does not count."""
    deploy = service.get("deploy")
    policy = deploy.get("restart_policy") if isinstance(deploy, dict) else None
    return isinstance(policy, dict) and "condition" in policy


def _restart(draft: Draft, policy: Mapping[str, Any]) -> None:
    """When it is started again; the engine knows no more than how often."""
    at = (*draft.at, "deploy", "restart_policy")
    known: dict[str, Any] = {"none": "no", "any": "always"}
    condition = policy.get("condition", "any")
    name = known.get(condition, condition)
    attempts = policy.get("max_attempts") if name == "on-failure" else None
    for key in policy:
        if key != "condition" and (key != "max_attempts" or attempts is None):
            why = "it counts with on-failure only" if key == "max_attempts" else "it is Swarm's"
            draft.source.not_carried((*at, key), why)
    if restarts_by_deploy(draft.raw) or "restart" not in draft.raw:
        draft.entry["restart"] = f"{name}:{attempts}" if attempts else name


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
