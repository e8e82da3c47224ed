"""A whole Compose file → the data and text of a stack file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msctl.importing.gateway import (
    Gateway,
    find_gateway,
    gateway_data,
    other_args,
    own_args,
    socket_of,
)
from msctl.importing.inline import Made
from msctl.importing.labels import Labels, read_labels
from msctl.importing.routing import Routers, routing_of
from msctl.importing.services import Draft, linked, service_of
from msctl.importing.source import Note, Source, several
from msctl.model import AUTOSCALER, AUTOSCALER_PROXY, GATEWAY, OWN_SERVICES, Stack
from msctl.model.passthrough import STACK_KEYS
from msctl.records import Unfit
from msctl.render.document import dump
from msctl.render.socketproxy import IMAGE
from msctl.render.traefik import gateway_flags

_DEFAULT = "default"
_TOP = {"name", "version", "services", "networks", "volumes", "secrets", "configs"}
_MOST_SHOWN = 200


@dataclass(frozen=True)
class Imported:
    """A stack file, and what is to be said about it."""

    data: Mapping[str, Any]
    notes: tuple[Note, ...]
    files: Mapping[str, Made]
    """What has to lie beside it, by its path from there."""

    def text(self, file: str) -> str:
        """The stack file's text. `file` is the Compose file, as its comments call it."""
        lines = [f"# Imported by msctl from {file}. `msctl check` checks this file."]
        if self.notes:
            lines += ["#", "# What is different, or not carried over:"]
            shown = [note.text(file) for note in self.notes[:_MOST_SHOWN]]
            lines += [f"#   {line}" for note in shown for line in note.splitlines()]
        return "\n".join([*lines, "", dump(self.data)])


def imported(source: Source, name: str) -> Imported:
    """The stack file that a Compose file comes to.

    `name` is the project's name where the file has none.
    """
    top = source.values()
    services = _services(source, top)
    gateway = find_gateway(source, services)
    services, scaler = _without_autoscaler(source, services)
    services, proxy = _without_proxy(source, services, gateway)
    labels = read_labels(source, services)
    routers = Routers.read(source, labels, gateway)
    project = str(top.get("name") or name)
    names = {old: _slug(source, old) for old in services if old != gateway.name}
    networks = _networks(source, top, services)
    drafts = {}
    jobs, optional = _needed(source, services)
    sts = source.own and "email" in gateway.acme
    first = next(iter(networks.values()), _DEFAULT)
    aliases = _aliases(source, services)
    for old, new in names.items():
        draft = Draft(
            source, old, services[old], project, names, networks, first, top, aliases.get(old, ())
        )
        routing = routing_of(routers, old, services[old], sts)
        service_of(draft, routing, labels, old in jobs)
        if old in optional and source.own:
            draft.entry = {"image": draft.entry["image"], "optional": True, **draft.entry}
        drafts[new] = draft.entry
    data: dict[str, Any] = {"name": project, "networks": list(networks.values())}
    data |= _gateway(source, services, gateway, labels, routers, drafts)
    if gateway.name is not None and (socket := socket_of(services[gateway.name], proxy)):
        data["gateway"]["socket"] = socket
    if source.own and proxy.get("image", IMAGE) != IMAGE:
        data["gateway"]["socket_proxy"] = {"image": proxy["image"]}
    data |= {"autoscaler": scaler} if scaler else {}
    data["services"] = drafts
    if passed := _passed(source, top, networks, project):
        data["x-compose"] = passed
    _note_top(source, top)
    if not source.own:
        data = _with_args(data, other_args(gateway))
    else:
        data = _with_args(data, _own_args(data, gateway))
    notes = sorted(source.notes, key=lambda note: (note.file or "", note.line))
    return Imported(data, tuple(notes), source.made)


def _services(source: Source, top: Mapping[str, Any]) -> dict[str, Any]:
    """The services that `docker compose up` starts, and that have an image."""
    found = {}
    for name, service in (top.get("services") or {}).items():
        at = ("services", name)
        raw = service if isinstance(service, dict) else {}
        profiles = {source.resolved(profile) for profile in several(raw.get("profiles"))}
        if profiles and not profiles & source.profiles:
            told = ", ".join(sorted(profiles))
            message = f"left out: `docker compose up` starts it with a profile only ({told})"
            source.not_carried((*at, "profiles"), message)
        elif not raw.get("image") and "build" not in raw:
            source.not_carried(at, "it has neither image nor build")
        else:
            found[name] = raw
    return found


def _without_autoscaler(
    source: Source, services: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The services without those by which a stack of msctl's scales itself, and the key that they
    come from."""
    if not source.own or AUTOSCALER not in services:
        return services, {}
    flags = [word.partition("=") for word in several(services[AUTOSCALER].get("command"))]
    interval = next((value for key, _, value in flags if key == "--interval"), None)
    found = {"enabled": True, **({"interval": f"{interval}s"} if interval else {})}
    own = (AUTOSCALER, AUTOSCALER_PROXY)
    return {name: service for name, service in services.items() if name not in own}, found


def _without_proxy(
    source: Source, services: dict[str, Any], gateway: Gateway
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The services without the one that keeps the gateway from the engine's socket, which msctl
    has one of its own for, and that one; its networks go too where nobody else is on them."""
    if gateway.name is None or gateway.proxy not in services:
        return services, {}
    rest = {name: service for name, service in services.items() if name != gateway.proxy}
    proxy = services[gateway.proxy]
    if not source.own:
        source.note(("services", gateway.proxy), "the gateway's proxy is msctl's own")
    kept = {n for name in rest if name != gateway.name for n in _joined(rest[name])}
    left = {
        name: None
        for name in _joined(rest[gateway.name])
        if name in kept or name not in _joined(proxy)
    }
    return {**rest, gateway.name: {**rest[gateway.name], "networks": list(left)}}, proxy


def _joined(service: Mapping[str, Any]) -> list[str]:
    return [str(name) for name in service.get("networks") or ()]


def _slug(source: Source, name: str) -> str:
    """A service's name as the stack file takes it."""
    slug = re.sub(r"[^a-z0-9_-]", "-", name.lower()).lstrip("-_")[:63] or "service"
    if slug in OWN_SERVICES:
        slug = f"{slug}-service"
    if slug != name:
        source.note(("services", name), f"its name is {slug} now; {name} still leads to it")
    return slug


def _aliases(source: Source, services: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The other names that links give to a service, which it has for everybody from now on; one
    that stands for two services cannot be had."""
    meant: dict[str, set[str]] = {}
    places = []
    for owner, service in services.items():
        for index, link in enumerate(several(service.get("links"))):
            name, alias = linked(link)
            if alias != name:
                meant.setdefault(alias, set()).add(name)
                places.append((("services", owner, "links", index), alias))
    clear = {a: names for a, names in meant.items() if len(names) == 1 and a not in services}
    for place, alias in places:
        if alias not in clear:
            source.not_carried(place, f"{alias} is the name of another service, too")
    found: dict[str, tuple[str, ...]] = {}
    for alias, (name,) in clear.items():
        found[name] = (*found.get(name, ()), alias)
    return found


def _networks(
    source: Source, top: Mapping[str, Any], services: Mapping[str, Any]
) -> dict[str, str]:
    """The stack file's name of each network that is used, the first one that most have."""
    used: dict[str, None] = {}
    for service in services.values():
        joined = service.get("networks")
        if not joined or "network_mode" in service:
            used = {_DEFAULT: None, **used}
        else:
            used |= dict.fromkeys(str(name) for name in joined)
    declared = [name for name in (top.get("networks") or {}) if name in used]
    ordered = [*([_DEFAULT] if _DEFAULT in used else []), *declared, *used]
    if source.own:
        ordered = [*declared, *used]
    return {
        name: re.sub(r"[^a-z0-9_-]", "-", name.lower()).lstrip("-_") or _DEFAULT
        for name in dict.fromkeys(ordered)
    }


def _needed(source: Source, services: Mapping[str, Any]) -> tuple[set[str], set[str]]:
    """Services that others wait for to end, and those that others can do without."""
    jobs, optional = set(), set()
    for owner, service in services.items():
        needs = service.get("depends_on")
        for name, need in needs.items() if isinstance(needs, dict) else ():
            options = need if isinstance(need, dict) else {}
            if options.get("condition") == "service_completed_successfully":
                jobs.add(name)
            if options.get("required") is False:
                optional.add(name)
            if options.get("restart") is True:
                place = ("services", owner, "depends_on", name, "restart")
                source.not_carried(place, "what needs it is not restarted with it")
    return jobs, optional


def _gateway(
    source: Source,
    services: Mapping[str, Any],
    gateway: Gateway,
    labels: Labels,
    routers: Routers,
    drafts: Mapping[str, Any],
) -> dict[str, Any]:
    routed = any("routes" in entry for entry in drafts.values())
    if gateway.name is None:
        if not routed:
            return {}
        message = (
            "the file has no Traefik: msctl's own takes ports 80 and 443 (gateway: http, https)"
        )
        source.note(("services",), message)
        mode = "self-signed" if routers.tls_on else "off"
        return {"gateway": {"tls": {"mode": mode}}}
    if not routed:
        source.not_carried(("services", gateway.name), "a gateway without routes leads nowhere")
        return {}
    if gateway.name != GATEWAY:
        message = (
            f"the gateway is called {GATEWAY} now; where {gateway.name} runs, it holds the ports: "
            "msctl up --remove-orphans"
        )
        source.note(("services", gateway.name), message)
    data = gateway_data(source, gateway, services[gateway.name], labels, routers.tls_on)
    if not source.own:
        _free_dashboard(source, data, drafts)
    return {"gateway": data}


def _free_dashboard(source: Source, data: dict[str, Any], drafts: Mapping[str, Any]) -> None:
    """msctl asks the gateway at its dashboard's port, which has to be a free one."""
    ports = [str(p) for entry in drafts.values() for p in entry.get("ports", ())]
    busy = any(re.search(r"(?:^|:)8080:", source.resolved(port)) for port in ports)
    if busy and "dashboard" not in data:
        data["dashboard"] = "127.0.0.1:8081"


def _with_args(data: dict[str, Any], args: list[str]) -> dict[str, Any]:
    return data if not args else {**data, "gateway": {**data.get("gateway", {}), "args": args}}


def _own_args(data: dict[str, Any], gateway: Gateway) -> list[str]:
    try:
        stack = Stack.read(data, keep=True)
    except Unfit:
        return []
    return own_args(gateway.flags, gateway_flags(stack))


def _passed(
    source: Source,
    top: Mapping[str, Any],
    networks: Mapping[str, str],
    project: str,
) -> dict[str, Any]:
    """What Compose says about networks and volumes."""
    found: dict[str, Any] = {}
    for section in ("networks", "volumes"):
        for name, options in (top.get(section) or {}).items():
            at = (section, name)
            known = networks.get(name) if section == "networks" else name
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


def _note_top(source: Source, top: Mapping[str, Any]) -> None:
    for key in top:
        if key not in _TOP and not key.startswith("x-"):
            source.not_carried((key,))
