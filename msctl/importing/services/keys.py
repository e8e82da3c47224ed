"""Keys of a Compose service that the stack file has another form of, one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msctl.importing.services.deploy import deploy_of, limit, restarts_by_deploy
from msctl.importing.services.draft import Draft
from msctl.importing.services.mounts import files_of, mounts_of, secrets_of
from msctl.importing.source import pairs, several

_WHY_NOT_BUILT = {
    "dockerfile_inline": "write it to a file beside the sources, and name that: dockerfile",
}


def _build(draft: Draft, value: Any) -> None:
    if not isinstance(value, dict):
        draft.entry["build"] = value
        return
    kept = {key: value[key] for key in ("dockerfile", "args") if value.get(key)}
    if "args" in kept:
        kept["args"] = {name: item for name, item, _ in pairs(kept["args"])}
    for key in value:
        if key == "target":
            draft.passed["build"] = {"target": value[key]}
        elif key not in ("context", "dockerfile", "args"):
            draft.source.not_carried((*draft.at, "build", key), _WHY_NOT_BUILT.get(key, ""))
    context = value.get("context", ".")
    draft.entry["build"] = {"context": context, **kept} if kept else context


def _environment(draft: Draft, value: Any) -> None:
    draft.entry["env"] = {name: item for name, item, _ in pairs(value)}


def _env_file(draft: Draft, value: Any) -> None:
    files = []
    for index, entry in enumerate(several(value)):
        path = entry.get("path") if isinstance(entry, dict) else entry
        options = entry if isinstance(entry, dict) else {}
        place = (*draft.at, "env_file", index)
        needed = options.get("required") is not False
        files.append(path if needed else {"path": path, "required": False})
        if "format" in options:
            why = f"quotes and variables mean something in {path}"
            draft.source.not_carried((*place, "format"), why)
    if files:
        draft.entry["env_file"] = files


def _ports(draft: Draft, value: Any) -> None:
    if value:
        draft.entry["ports"] = several(value)


def _volumes(draft: Draft, value: Any) -> None:
    draft.entry["volumes"] = [*draft.entry.get("volumes", []), *mounts_of(
        draft.source, draft.at, value)]  # fmt: skip


def _secrets(draft: Draft, value: Any) -> None:
    if draft.source.own:
        draft.entry["secrets"] = secrets_of(draft.source, draft.name, value)
    else:
        _mount_files(draft, value, "secrets")


def _configs(draft: Draft, value: Any) -> None:
    _mount_files(draft, value, "configs")


def _mount_files(draft: Draft, value: Any, kind: str) -> None:
    mounts = files_of(draft.source, draft.at, value, kind, draft.top.get(kind) or {})
    if mounts:
        draft.entry["volumes"] = [*draft.entry.get("volumes", []), *mounts]


def _command(key: str) -> Callable[[Draft, Any], None]:
    def keep(draft: Draft, value: Any) -> None:
        if value is not None:
            draft.entry[key] = value

    return keep


def _restart(draft: Draft, value: Any) -> None:
    if restarts_by_deploy(draft.raw):
        draft.source.not_carried((*draft.at, "restart"), "deploy.restart_policy counts")
    elif value is not None:
        draft.entry["restart"] = "no" if value is False else value


def _stop_grace(draft: Draft, value: Any) -> None:
    draft.entry["stop_grace"] = value


def _depends_on(draft: Draft, value: Any) -> None:
    need(draft, "depends_on", list(value) if isinstance(value, dict) else several(value))


def _links(draft: Draft, value: Any) -> None:
    """What is linked starts first, and its other names are those of its container."""
    need(draft, "links", [linked(draft.source.resolved(link))[0] for link in several(value)])


def linked(link: Any) -> tuple[str, str]:
    """`SERVICE:ALIAS`, or a service that is called by its name."""
    name, _, alias = str(link).partition(":")
    return name, alias or name


def need(draft: Draft, key: str, names: list[str]) -> None:
    """`key` of the file has these services start before it."""
    needs = draft.entry.get("needs", [])
    for name in map(draft.source.resolved, names):
        if name == draft.gateway:
            continue  # which comes first anyway
        if name not in draft.names:
            draft.source.not_carried((*draft.at, key), f"{name} is left out")
        elif draft.names[name] not in needs:
            needs = [*needs, draft.names[name]]
    if needs:
        draft.entry["needs"] = needs


KEYS: Mapping[str, Callable[[Draft, Any], None]] = {
    "build": _build,
    "command": _command("command"),
    "entrypoint": _command("entrypoint"),
    "environment": _environment,
    "env_file": _env_file,
    "ports": _ports,
    "volumes": _volumes,
    "secrets": _secrets,
    "configs": _configs,
    "restart": _restart,
    "stop_grace_period": _stop_grace,
    "depends_on": _depends_on,
    "links": _links,
    "deploy": deploy_of,
    "cpus": limit("cpus"),
    "mem_limit": limit("memory"),
    "mem_reservation": limit("memory", reserve=True),
}
"""How each of them is carried over."""
