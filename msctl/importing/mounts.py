"""Volumes, secrets and configs of a Compose service."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msctl.config.problems import Path
from msctl.importing.source import Source, several
from msctl.mounts import parse_mount

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
        file = (known.get(name) or {}).get("file")
        if file is None:
            source.not_carried(place, _why_no_file(name, known.get(name) or {}))
            continue
        target = str(entry.get("target") or name) if isinstance(entry, dict) else name
        target = target if target.startswith("/") else f"{folder}{target}"
        path = file if file.startswith((".", "/", "~", "$")) else f"./{file}"
        mounts.append(f"{path}:{target}:ro")
        for key in ("uid", "gid", "mode"):
            if isinstance(entry, dict) and key in entry:
                source.not_carried((*place, key), "the file's own owner and mode hold")
    return mounts


def _why_no_file(name: str, said: Mapping[str, Any]) -> str:
    for key, where in (("content", "in this file"), ("environment", "in a variable")):
        if key in said:
            return f"{name} stands {where}: write it into a file of its own, and name that"
    return f"{name} is not a file"


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
