"""Mounts of a service → fields of the engine's `HostConfig`.

Source: Docker Engine API 1.41 and newer, `POST /containers/create`; the translation follows Docker
Compose's (`pkg/compose/create.go`), so that both make the same container.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msctl.engines.compose.revision import Revision
from msctl.errors import UsageProblem
from msctl.fields import parse_size

SUBPATH_API = (1, 45)
"""First API that mounts a folder of a volume (engine 26); older ones would mount all of it."""
_OPTIONS = re.compile(r":(?:ro|rw)(?:,[a-zA-Z]+)*\Z")
_RECURSIVE = {
    "disabled": "NonRecursive",
    "writable": "ReadOnlyNonRecursive",
    "readonly": "ReadOnlyForceRecursive",
}


def mounts(
    service: Mapping[str, Any], revision: Revision, api: tuple[int, int]
) -> dict[str, list[Any]]:
    """Binds and mounts of a service in normalised form.

    Raises:
        UsageProblem: a mount needs a newer engine.
    """
    binds: list[str] = []
    found: list[dict[str, Any]] = []
    for mount in service.get("volumes") or ():
        source = mount.get("source")
        if _is_plain(mount):
            # Only this form makes the folder on the host where it is missing.
            binds.append(f"{source}:{mount['target']}{_mode(mount)}")
            continue
        if (mount.get("volume") or {}).get("subpath") and api < SUBPATH_API:
            raise UsageProblem(
                f"services.{revision.name}.volumes: a subpath needs Docker 26 (API 1.45); this "
                f"engine has API {api[0]}.{api[1]}; nothing was changed"
            )
        if mount["type"] == "volume" and source:
            source = revision.volumes[source].get("name", source)
        found.append(_mount(mount, source))
    found += [
        {
            "Type": "bind",
            "Source": revision.secrets[secret["source"]]["file"],
            "Target": _secret_target(secret),
            "ReadOnly": True,
        }
        for secret in service.get("secrets") or ()
    ]
    return {"Binds": binds, "Mounts": found}


def with_volumes(host: Mapping[str, Any], unnamed: Mapping[str, str]) -> dict[str, Any]:
    """The settings of a container that has these volumes too, by where they are, unless something
    with a name is there."""
    named = {_OPTIONS.sub("", bind).rpartition(":")[2] for bind in host["Binds"]}
    named |= {m["Target"] for m in host["Mounts"] if m["Type"] != "volume" or m.get("Source")}
    named |= set(host.get("Tmpfs") or ())
    free = {m["Target"]: m for m in host["Mounts"] if m["Target"] not in named}
    free |= {
        target: {"Type": "volume", "Target": target, **free.get(target, {}), "Source": name}
        for target, name in unnamed.items()
        if target not in named
    }
    return {
        **host,
        "Mounts": [*(m for m in host["Mounts"] if m["Target"] in named), *free.values()],
    }


def _is_plain(mount: Mapping[str, Any]) -> bool:
    bind = mount.get("bind") or {}
    is_bind = mount["type"] == "bind" and bind.get("create_host_path", True)
    return is_bind and not bind.get("recursive")


def _mode(mount: Mapping[str, Any]) -> str:
    """`:ro,rslave,z`."""
    bind = mount.get("bind") or {}
    more = [bind[key] for key in ("propagation", "selinux") if bind.get(key)]
    words = ["ro" if mount.get("read_only") else "rw", *more]
    return "" if words == ["rw"] else ":" + ",".join(words)


def _mount(mount: Mapping[str, Any], source: str | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "Type": mount["type"],
        "Target": mount["target"],
        "ReadOnly": bool(mount.get("read_only")),
    }
    if source:
        found["Source"] = source
    options = {
        "VolumeOptions": _of_volume(mount.get("volume") or {}),
        "TmpfsOptions": _of_tmpfs(mount.get("tmpfs") or {}),
        "BindOptions": _of_bind(mount.get("bind") or {}),
    }
    return found | {field: value for field, value in options.items() if value}


def _of_volume(options: Mapping[str, Any]) -> dict[str, Any]:
    fields = {"nocopy": "NoCopy", "subpath": "Subpath", "labels": "Labels"}
    return {field: options[key] for key, field in fields.items() if options.get(key)}


def _of_tmpfs(options: Mapping[str, Any]) -> dict[str, Any]:
    size, mode = options.get("size"), options.get("mode")
    found = {"SizeBytes": parse_size(size)} if size else {}
    return found | ({"Mode": int(mode)} if mode else {})


def _of_bind(options: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if options.get("propagation"):
        found["Propagation"] = options["propagation"]
    if field := _RECURSIVE.get(options.get("recursive", "")):
        found[field] = True
    if options.get("recursive") and options.get("create_host_path", True):
        found["CreateMountpoint"] = True
    return found


def _secret_target(secret: Mapping[str, Any]) -> str:
    target = str(secret.get("target") or secret["source"])
    return target if target.startswith("/") else f"/run/secrets/{target}"
