"""The networks that are used, and what Compose says about networks and volumes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from msctl.importing.source import Source
from msctl.model.passthrough import STACK_KEYS
from msctl.render.document import volume_name

DEFAULT = "default"
"""Compose's network of services that name none."""


def networks_of(
    source: Source, top: Mapping[str, Any], services: Mapping[str, Any]
) -> dict[str, str]:
    """The stack file's name of each network that is used, the first one that most have."""
    used: dict[str, None] = {}
    for service in services.values():
        joined = service.get("networks")
        if not joined or "network_mode" in service:
            used = {DEFAULT: None, **used}
        else:
            used |= dict.fromkeys(str(name) for name in joined)
    declared = [name for name in (top.get("networks") or {}) if name in used]
    ordered = [*([DEFAULT] if DEFAULT in used else []), *declared, *used]
    if source.own:
        ordered = [*declared, *used]
    return {
        name: re.sub(r"[^a-z0-9_-]", "-", name.lower()).lstrip("-_") or DEFAULT
        for name in dict.fromkeys(ordered)
    }


def passed_of(
    source: Source,
    top: Mapping[str, Any],
    networks: Mapping[str, str],
    project: str,
    mounted: Sequence[Any],
) -> dict[str, Any]:
    """What Compose says about networks and volumes, as far as they are used."""
    volumes = {volume_name(mount) for mount in mounted}
    unclear = any("$" in str(mount) for mount in mounted)
    found: dict[str, Any] = {}
    for section in ("networks", "volumes"):
        for name, options in (top.get(section) or {}).items():
            at = (section, name)
            known = networks.get(name) if section == "networks" else name
            if section == "volumes" and name not in volumes and not unclear:
                continue
            entry = _options(source, at, options if isinstance(options, dict) else {})
            if known is not None and known != name and not entry.get("external"):
                entry.setdefault("name", f"{project}_{name}")
            if known is not None and entry:
                found.setdefault(section, {})[known] = entry
    return found


def _options(source: Source, at: tuple[str, str], options: Mapping[str, Any]) -> dict[str, Any]:
    (known,) = STACK_KEYS[at[0]].values()
    entry: dict[str, Any] = {}
    for key, value in options.items():
        if key == "external" and isinstance(value, dict):
            entry |= {"external": True, **value}
        elif key not in known:
            source.not_carried((*at, key))
        elif value not in (None, False):
            entry[key] = value
    return entry
