"""A Compose service → one of the stack file, key by key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from msctl.config.problems import Path
from msctl.importing.confining import FIRST_CLASS
from msctl.importing.deploy import deploy_of, limit, restarts_by_deploy
from msctl.importing.health import health_of
from msctl.importing.labels import Labels
from msctl.importing.mounts import files_of, mounts_from, mounts_of, secrets_of, writes_to
from msctl.importing.routing import Routing
from msctl.importing.source import Source, pairs, several
from msctl.model import Service
from msctl.model.passthrough import SERVICE_KEYS

_MOST_BY_DEFAULT = 10
_CONFINING = ("cap_drop", "security_opt")
_CONFINING_OURS = (*_CONFINING, "pids_limit", "logging")
_SILENT = {"image", "labels", "container_name", "attach", "pull_policy", "develop", "profiles"}
_WHY = {
    "external_links": "only services of the stack are reached by a name",
    "provider": "msctl runs containers only",
}
"""What there is to say about keys that are not carried."""


@dataclass
class Draft:
    """One service on its way."""

    source: Source
    name: str
    raw: Mapping[str, Any]
    project: str
    names: Mapping[str, str]
    """The stack file's name of each service that is carried, by Compose's."""
    networks: Mapping[str, str]
    """The same for networks."""
    first: str
    """The network of services that name none."""
    top: Mapping[str, Any]
    """The whole Compose file."""
    aliases: tuple[str, ...] = ()
    """Names by which others reach it."""
    entry: dict[str, Any] = field(default_factory=dict)
    passed: dict[str, Any] = field(default_factory=dict)

    @property
    def at(self) -> Path:
        return ("services", self.name)


def service_of(draft: Draft, routing: Routing, labels: Labels, needed_as_job: bool) -> None:
    """Fill in the entry of a service."""
    raw, entry, source = draft.raw, draft.entry, draft.source
    entry["image"] = raw.get("image") or f"{draft.project}-{draft.name}"
    for key in raw:
        handle = _KEYS.get(key)
        if handle is not None:
            handle(draft, raw[key])
        elif key in FIRST_CLASS and raw[key] is not None:
            place = entry if key in Service.keys else draft.passed
            place[key] = raw[key]
        elif key in SERVICE_KEYS and key not in ("deploy", "networks", "build", "healthcheck"):
            _pass(draft, key, raw[key])
        elif key == "network_mode":
            source.not_carried((*draft.at, key), _why_not_shared(source.resolved(raw[key])))
        elif key not in _SILENT | _LATER:
            source.not_carried((*draft.at, key), _WHY.get(key, ""))
    for key in ("develop", "pull_policy"):
        if key in raw:
            source.not_carried((*draft.at, key))
    _share(draft)
    _confine(draft)
    if own := labels.rest.get(draft.name):
        entry["labels"] = own
    _route(draft, routing)
    _join(draft, labels)
    _count(draft, needed_as_job)
    if draft.passed:
        entry["x-compose"] = draft.passed
    ordered = {key: entry[key] for key in (*_FIRST, *entry) if key in entry and key not in _LAST}
    draft.entry = ordered | {key: entry[key] for key in _LAST if key in entry}


def _share(draft: Draft) -> None:
    """The mounts of other services, which start first."""
    value = draft.raw.get("volumes_from")
    own = draft.entry.get("volumes", [])
    more = mounts_from(draft.source, draft.at, value, draft.top["services"], own)
    if more:
        draft.entry["volumes"] = [*own, *more]
    others = [str(entry).partition(":")[0] for entry in several(value)]
    _need(draft, "volumes_from", [name for name in others if name in draft.top["services"]])


def _why_not_shared(mode: str) -> str:
    """What is different in the stack's networks, where a service is now."""
    if mode == "host":
        return "it is in the stack's networks, not the host's; `ports` publishes what it listens on"
    if mode.startswith(("service:", "container:")):
        other = mode.partition(":")[2]
        return f"it is in the stack's networks, with an address of its own; {other} by its name"
    return "it is in the stack's networks"


def _pass(draft: Draft, key: str, value: Any) -> None:
    shared = str(value).startswith(("service:", "container:"))
    if key in ("ipc", "pid", "uts", "cgroup") and shared:
        draft.source.not_carried((*draft.at, key), "another container's cannot be shared")
    elif value not in (None, [], {}):
        draft.passed[key] = value


def _confine(draft: Draft) -> None:
    """What the file does not take away stays, where msctl would take it away by itself."""
    for key in _CONFINING_OURS if draft.source.own else _CONFINING:
        if key not in draft.raw and key not in draft.entry:
            draft.entry[key] = FIRST_CLASS[key]


def _route(draft: Draft, routing: Routing) -> None:
    entry = draft.entry
    found = health_of(
        draft.source, draft.name, draft.raw.get("healthcheck"), routing.port, routing.check
    )
    port = routing.port if routing.port is not None else found.port
    if port is not None:
        entry["port"] = port
    if routing.routes:
        entry["routes"] = routing.routes
        entry |= routing.keys
    if routing.sticky:
        entry["sticky"] = routing.sticky
    if found.health:
        entry["health"] = found.health
    if found.passed:
        draft.passed["healthcheck"] = found.passed


def _join(draft: Draft, labels: Labels) -> None:
    """Networks, the gateway's first; a fixed container name stays one that others can use."""
    raw = draft.raw.get("networks")
    joined = raw if isinstance(raw, dict) else dict.fromkeys(several(raw))
    names = [name for name in joined if name in draft.networks]
    options = {draft.networks[name]: dict(joined[name] or {}) for name in names}
    wanted = labels.networks.get(draft.name, "").removeprefix(f"{draft.project}_")
    ordered = sorted((draft.networks[name] for name in names), key=lambda n: n != wanted)
    if not draft.source.own:
        draft.entry |= {"networks": ordered} if ordered and ordered != [draft.first] else {}
    elif ordered != [draft.first]:
        draft.entry["networks"] = [draft.networks[name] for name in names]
    renamed = draft.names[draft.name] != draft.name
    aliases = [*([draft.name] if renamed else []), *draft.aliases]
    if name := draft.raw.get("container_name"):
        why = "containers are named PROJECT-SERVICE-N; it is a name in its networks"
        draft.source.not_carried((*draft.at, "container_name"), why)
        aliases.append(name)
    for network in ordered or [draft.first]:
        settings = options.setdefault(network, {})
        if aliases:
            settings["aliases"] = list(dict.fromkeys([*settings.get("aliases", []), *aliases]))
        for key in list(settings):
            if key not in ("aliases", "ipv4_address", "ipv6_address"):
                draft.source.not_carried((*draft.at, "networks", network, key))
                del settings[key]
    if kept := {network: settings for network, settings in options.items() if settings}:
        draft.passed["networks"] = kept


def _count(draft: Draft, needed_as_job: bool) -> None:
    """How many, and whether it is a job or stateful."""
    raw, entry, source = draft.raw, draft.entry, draft.source
    deploy = raw.get("deploy") if isinstance(raw.get("deploy"), dict) else {}
    count = raw.get("scale", (deploy or {}).get("replicas"))
    restart = "restart" in raw and source.resolved(raw["restart"]) in ("no", "false")
    if needed_as_job or (source.own and count is None and restart and "routes" not in entry):
        entry["job"] = True
        if count is not None:
            source.not_carried((*draft.at, "deploy"), "a job runs once")
    elif source.own and count is None:
        entry["stateful"] = True
    elif count is not None:
        number = source.resolved(count)
        if number == "0":
            source.not_carried((*draft.at, "deploy"), "0 replicas; it is 1 now")
        elif number.isdecimal() and int(number) > _MOST_BY_DEFAULT:
            entry["replicas"] = {"initial": count, "max": int(number)}
        elif number != "1" or source.own:
            entry["replicas"] = count
    elif (target := writes_to(source, entry)) is not None:
        entry["stateful"] = True
        entry.pop("rollout", None)
        message = f"stateful, since it writes to {target}: one replica, replaced stop-first"
        source.note((*draft.at, "volumes"), message)


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
            draft.source.not_carried((*draft.at, "build", key))
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
        if not needed and not draft.source.exists(draft.source.resolved(path)):
            draft.source.not_carried(place, f"{path} is not there")
            continue
        files.append(path)
        if not needed:
            draft.source.not_carried((*place, "required"), f"{path} has to be there from now on")
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
    _need(draft, "depends_on", list(value) if isinstance(value, dict) else several(value))


def _links(draft: Draft, value: Any) -> None:
    """What is linked starts first, and its other names are those of its container."""
    _need(draft, "links", [linked(link)[0] for link in several(value)])


def linked(link: Any) -> tuple[str, str]:
    """`SERVICE:ALIAS`, or a service that is called by its name."""
    name, _, alias = str(link).partition(":")
    return name, alias or name


def _need(draft: Draft, key: str, names: list[str]) -> None:
    needs = draft.entry.get("needs", [])
    for name in names:
        if name not in draft.names:
            draft.source.not_carried((*draft.at, key), f"{name} is left out")
        elif draft.names[name] not in needs:
            needs = [*needs, draft.names[name]]
    if needs:
        draft.entry["needs"] = needs


_FIRST = ("image", "build", "command", "entrypoint", "port", "routes", "sticky", "replicas",
          "stateful", "job", "optional", "rollout", "resources", "health", "needs", "restart",
          "networks", "volumes", "ports", "secrets")  # fmt: skip
_LAST = ("labels", "env_file", "env", "x-compose")
_LATER = {"networks", "healthcheck", "scale", "volumes_from"}
_KEYS: Mapping[str, Callable[[Draft, Any], None]] = {
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
