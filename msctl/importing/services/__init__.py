"""A Compose service → one of the stack file."""

from __future__ import annotations

from typing import Any

from msctl.importing.confining import FIRST_CLASS
from msctl.importing.routes.labels import Labels
from msctl.importing.routes.routing import Routing
from msctl.importing.services.draft import Draft
from msctl.importing.services.health import health_of
from msctl.importing.services.keys import KEYS, need
from msctl.importing.services.mounts import mounts_from, writes_to
from msctl.importing.source import several
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
_NO_KEY = {
    "develop": "nothing is synchronised; msctl rollout SERVICE --build takes changed sources",
    "pull_policy": "msctl up --pull asks the registry",
}


def service_of(draft: Draft, routing: Routing, labels: Labels, needed_as_job: bool) -> None:
    """Fill in the entry of a service."""
    raw, entry, source = draft.raw, draft.entry, draft.source
    entry["image"] = raw.get("image") or f"{draft.project}-{draft.name}"
    for key in raw:
        handle = KEYS.get(key)
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
    for key, why in _NO_KEY.items():
        if key in raw:
            source.not_carried((*draft.at, key), why)
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
    need(draft, "volumes_from", [name for name in others if name in draft.top["services"]])


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
    wanted = labels.networks.get(draft.name)
    met = draft.joined_by_gateway
    names.sort(key=lambda name: (wanted not in draft.called(name), name not in met))
    ordered = [draft.networks[name] for name in names]
    if not draft.source.own:
        draft.entry |= {"networks": ordered} if ordered and ordered != [draft.first] else {}
    elif ordered != [draft.first]:
        draft.entry["networks"] = [draft.networks[name] for name in joined if name in names]
    renamed = draft.names[draft.name] != draft.name
    aliases = [*([draft.name] if renamed else []), *draft.aliases]
    if name := draft.raw.get("container_name"):
        usual = f"containers are called {draft.project}-SERVICE-N"
        why = f"{usual}; others reach this one by its name still"
        draft.source.not_carried((*draft.at, "container_name"), why)
        aliases += [name] if name != draft.names[draft.name] else []
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
            key = ("scale",) if "scale" in raw else ("deploy", "replicas")
            source.not_carried((*draft.at, *key), "0 replicas; it is 1 now")
        elif number.isdecimal() and int(number) > _MOST_BY_DEFAULT:
            entry["replicas"] = {"initial": count, "max": int(number)}
        elif number != "1" or source.own:
            entry["replicas"] = count
    elif writes_to(source, entry) is not None:
        entry["stateful"] = True
        entry.pop("rollout", None)
        message = "stateful, since it writes there: one replica, replaced stop-first"
        source.note((*draft.at, "volumes"), message)


_FIRST = ("image", "build", "command", "entrypoint", "port", "routes", "headers", "rate_limit",
          "in_flight", "ip_allow", "basic_auth", "body_limit", "retry", "sticky", "replicas",
          "stateful", "job", "optional", "rollout", "resources", "health", "needs", "restart",
          "stop_grace", "networks", "ports", "env_file", "env", "secrets", "volumes",
          "labels")  # fmt: skip
_LAST = ("x-compose",)
_LATER = {"networks", "healthcheck", "scale", "volumes_from"}
