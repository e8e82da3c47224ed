"""Volumes, secrets and configs of a Compose service."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msctl.config.problems import Path
from msctl.fields.mounts import parse_mount
from msctl.importing.inline import file_of
from msctl.importing.source import Source, several

_READ_ONLY = re.compile(r".*:(?:[a-zA-Z]+,)*ro(?:,[a-zA-Z]+)*")
_HARMLESS = re.compile(r"/var/run/docker\.sock|/run/docker\.sock|/etc/\w+|/proc(/.*)?|/sys(/.*)?")
"""Paths of the host that several may have mounted at once."""
_OURS = re.compile(r"\./\.msctl/secrets/(.+)|(?:.*/)?\.msctl/secrets/(.+)")


def mounts_of(source: Source, at: Path, value: Any) -> list[Any]:
    """The mounts that msctl knows; others are noted."""
    kept: list[Any] = []
    for index, entry in enumerate(several(value)):
        shape = dict(entry) if isinstance(entry, dict) else entry
        if isinstance(shape, dict) and "type" not in shape:
            shape["type"] = "volume"
        text = source.resolved(shape) if isinstance(shape, str) else shape
        try:
            parse_mount(text)
        except ValueError as error:
            if isinstance(shape, str) and "$" in shape:
                kept.append(shape)  # its variables may have their values where it runs
            else:
                source.not_carried((*at, "volumes", index), str(error))
            continue
        kept.append(shape)
    return kept


def mounts_from(
    source: Source, at: Path, value: Any, services: Mapping[str, Any], own: list[Any]
) -> list[Any]:
    """What `volumes_from` mounts: what other services do, but for where the service has a mount of
    its own."""
    found: list[Any] = []
    taken = {_part(source, entry, "target") for entry in own}
    for index, entry in enumerate(several(value)):
        name, _, mode = str(entry).partition(":")
        place = (*at, "volumes_from", index)
        if name not in services:
            source.not_carried(place, f"{name} is no service of this file")
            continue
        source.note(place, f"it mounts what {name} does, but for what {name}'s image declares")
        for mount in _all_mounts(source, services, name):
            target = _part(source, mount, "target")
            if target in taken:
                continue
            taken.add(target)
            if _part(source, mount, "source") is None:
                source.not_carried(place, f"{name}'s {target} has no name by which it is shared")
            else:
                found.append(_read_only(mount) if mode == "ro" else mount)
    return found


def _all_mounts(
    source: Source, services: Mapping[str, Any], name: str, seen: tuple[str, ...] = ()
) -> list[Any]:
    """A service's mounts, and those that it has from others."""
    service = services.get(name)
    if not isinstance(service, dict) or name in seen:
        return []
    found = mounts_of(source, ("services", name), service.get("volumes"))
    for entry in several(service.get("volumes_from")):
        other, _, mode = str(entry).partition(":")
        theirs = _all_mounts(source, services, other, (*seen, name))
        found += [_read_only(mount) for mount in theirs] if mode == "ro" else theirs
    return found


def _part(source: Source, entry: Any, part: str) -> str | None:
    """The source or target of a mount."""
    text = source.resolved(entry) if isinstance(entry, str) else entry
    try:
        found: str | None = getattr(parse_mount(text), part)
    except ValueError:
        return None
    return found


def _read_only(mount: Any) -> Any:
    if not isinstance(mount, str):
        return {**mount, "read_only": True}
    if _READ_ONLY.fullmatch(mount):
        return mount
    plain = mount.removesuffix(":rw")
    has_options = "/" not in plain.rpartition(":")[2]
    return f"{plain},ro" if has_options else f"{plain}:ro"


def writes_to(source: Source, service: Mapping[str, Any]) -> str | None:
    """The first volume or folder of the host that a service can change; None: there is none."""
    for entry in several(service.get("volumes")):
        text = source.resolved(entry) if isinstance(entry, str) else entry
        read_only = entry.get("read_only") if isinstance(entry, dict) else _READ_ONLY.match(text)
        try:
            mount = parse_mount(text)
        except ValueError:
            continue
        if read_only or mount.source is None or _HARMLESS.fullmatch(mount.source):
            continue
        return mount.source
    return None


def files_of(
    source: Source, at: Path, value: Any, kind: str, known: Mapping[str, Any]
) -> list[str]:
    """Secrets or configs as read-only mounts of their files."""
    folder = "/run/secrets/" if kind == "secrets" else "/"
    mounts = []
    for index, entry in enumerate(several(value)):
        place = (*at, kind, index)
        name = str(entry.get("source")) if isinstance(entry, dict) else str(entry)
        try:
            path = file_of(source, kind, name, known.get(name) or {})
        except ValueError as error:
            source.not_carried(place, str(error))
            continue
        target = str(entry.get("target") or name) if isinstance(entry, dict) else name
        target = target if target.startswith("/") else f"{folder}{target}"
        mounts.append(f"{path}:{target}:ro")
        for key in ("uid", "gid", "mode"):
            if isinstance(entry, dict) and key in entry:
                source.not_carried((*place, key), "the file's own owner and mode hold")
    return mounts


def secrets_of(source: Source, name: str, value: Any) -> list[Any]:
    """The secrets of a file that msctl rendered: msctl makes them again.

    A template is not in the rendered file; what stands for it is noted.
    """
    secrets: list[Any] = []
    for index, entry in enumerate(several(value)):
        file = entry["source"] if isinstance(entry, dict) else entry
        templated = re.fullmatch(rf"{re.escape(name)}\.([^.]+)(?:\.(\d+))?", file)
        secret = templated[1] if templated else file
        found: dict[str, Any] = {"name": secret}
        if isinstance(entry, dict) and (templated or entry.get("target")):
            usual = f"/run/secrets/{secret}"
            if entry.get("target") != usual or templated is None:
                found["target"] = entry["target"]
        if templated:
            found["template"] = "{secret}" + "\n" * (int(templated[2] or 1) - 1)
            message = f"the template of {secret} is not in the rendered file: write it anew"
            source.note(("services", name, "secrets", index), message)
        secrets.append(found if len(found) > 1 else secret)
    return secrets
