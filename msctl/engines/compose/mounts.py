"""What a container sees at its paths: the mounts of a service, as the engine is told them.

Source: Docker Engine API 1.41, `POST /containers/create`; the translation follows Docker Compose's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msctl.engines.compose.revision import Revision
from msctl.fields import parse_size


def mounts_config(service: Mapping[str, Any], revision: Revision) -> dict[str, Any]:
    """Volumes, folders and secrets of a service in normalised form."""
    binds, mounts = [], []
    for mount in service.get("volumes") or ():
        read_only = bool(mount.get("read_only"))
        source = mount.get("source")
        if mount["type"] == "bind" and (mount.get("bind") or {}).get("create_host_path", True):
            # Only this form makes the folder on the host where it is missing.
            binds.append(f"{source}:{mount['target']}" + (":ro" if read_only else ""))
            continue
        if mount["type"] == "volume" and source:
            source = revision.volumes[source].get("name", source)
        mounts.append(_mount(mount, source, read_only))
    mounts += [
        {
            "Type": "bind",
            "Source": revision.secrets[secret["source"]]["file"],
            "Target": _secret_target(secret),
            "ReadOnly": True,
        }
        for secret in service.get("secrets") or ()
    ]
    return {"Binds": binds, "Mounts": mounts}


def _mount(mount: Mapping[str, Any], source: str | None, read_only: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "Type": mount["type"],
        "Target": mount["target"],
        "ReadOnly": read_only,
    }
    if source:
        found["Source"] = source
    if (mount.get("volume") or {}).get("nocopy"):
        found["VolumeOptions"] = {"NoCopy": True}
    if mount["type"] == "tmpfs" and (size := (mount.get("tmpfs") or {}).get("size")):
        found["TmpfsOptions"] = {"SizeBytes": parse_size(size)}
    if propagation := (mount.get("bind") or {}).get("propagation"):
        found["BindOptions"] = {"Propagation": propagation}
    return found


def _secret_target(secret: Mapping[str, Any]) -> str:
    target = str(secret.get("target") or secret["source"])
    return target if target.startswith("/") else f"/run/secrets/{target}"


def with_volumes(host: Mapping[str, Any], unnamed: Mapping[str, str]) -> dict[str, Any]:
    """The settings of a container that has these volumes too, by where they are, unless something
    with a name is there."""
    named = {bind.removesuffix(":ro").rpartition(":")[2] for bind in host["Binds"]}
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
