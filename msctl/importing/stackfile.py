"""A whole Compose file → the data and text of a stack file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msctl.importing.apart import network_apart
from msctl.importing.flags import other_args
from msctl.importing.gateway import Gateway, find_gateway, gateway_data, own_args, socket_of
from msctl.importing.inline import Made
from msctl.importing.layout import laid_out
from msctl.importing.measuring import prometheus_of
from msctl.importing.networks import DEFAULT, networks_of, passed_of
from msctl.importing.report import report
from msctl.importing.routes.labels import Labels, read_labels
from msctl.importing.routes.routers import Routers
from msctl.importing.routes.routing import routing_of
from msctl.importing.services import service_of
from msctl.importing.services.draft import Draft
from msctl.importing.services.keys import linked
from msctl.importing.source import Note, Source, several
from msctl.model import AUTOSCALER, AUTOSCALER_PROXY, GATEWAY, OWN_SERVICES, Stack
from msctl.records import Unfit
from msctl.render.document import dump
from msctl.render.socketproxy import IMAGE
from msctl.render.traefik import gateway_flags
from msctl.views import neutral

_TOP = {"name", "version", "services", "networks", "volumes", "secrets", "configs"}
_MOST_SHOWN = 200
_LEFT_AS_IT_WAS: dict[str, Any] = {"cap_drop": [], "security_opt": []}
_ABOUT_CONFINING = (
    "#",
    "# `cap_drop: []` and `security_opt: []` leave a container what it may under Docker Compose.",
    "# Without them msctl takes away what few programs need: try it, service by service.",
)


@dataclass(frozen=True)
class Imported:
    """A stack file, and what is to be said about it."""

    data: Mapping[str, Any]
    notes: tuple[Note, ...]
    files: Mapping[str, Made]
    """What has to lie beside it, by its path from there."""
    had_gateway: bool = False
    """Whether the Compose file has a Traefik."""

    def text(self, *files: str) -> str:
        """The stack file's text. `files` are the Compose files, as its comments call them."""
        file, told = files[0], " and ".join(files)
        lines = [f"# Imported by msctl from {told}. `msctl check` checks this file."]
        if any(
            _LEFT_AS_IT_WAS.items() <= entry.items() for entry in self.data["services"].values()
        ):
            lines += _ABOUT_CONFINING
        if self.notes:
            lines += ["#", "# What is different, or not carried over:"]
            shown = report(self.notes, file)[:_MOST_SHOWN]
            lines += [f"#   {neutral(line)}" for note in shown for line in note.splitlines()]
        return "\n".join([*lines, "", dump(laid_out(self.data))])


def imported(source: Source, name: str) -> Imported:
    """The stack file that a Compose file comes to.

    `name` is the project's name where the file has none.
    """
    source.project = source.resolved(source.document.value.get("name") or name)
    top = source.values()
    services = _services(source, top)
    gateway = find_gateway(source, services)
    services, scaler = _without_autoscaler(source, services)
    services, proxy = _without_proxy(source, services, gateway)
    labels = read_labels(source, services, gateway.network)
    routers = Routers.read(source, labels, gateway)
    project = str(top.get("name") or name)
    names = {old: _slug(source, old) for old in services if old != gateway.name}
    networks = networks_of(source, top, services)
    drafts = {}
    jobs, optional = _needed(source, services)
    sts = source.own and "email" in gateway.acme
    first = next(iter(networks.values()), DEFAULT)
    aliases = _aliases(source, services)
    for old, new in names.items():
        draft = Draft(
            source,
            old,
            services[old],
            project,
            names,
            networks,
            first,
            top,
            gateway.name,
            aliases.get(old, ()),
        )
        routing = routing_of(routers, old, services[old], sts)
        service_of(draft, routing, labels, old in jobs)
        if old in optional and source.own:
            draft.entry = {"image": draft.entry["image"], "optional": True, **draft.entry}
        drafts[new] = draft.entry
    apart = network_apart(source, gateway.name, networks, drafts)
    data: dict[str, Any] = {"name": project, "networks": [*networks.values(), *apart]}
    data |= _gateway(source, services, gateway, labels, routers, drafts)
    if gateway.name is not None and (socket := socket_of(services[gateway.name], proxy)):
        data["gateway"]["socket"] = socket
    if source.own and proxy.get("image", IMAGE) != IMAGE:
        data["gateway"]["socket_proxy"] = {"image": proxy["image"]}
    if not source.own and "gateway" in data and gateway.name is not None:
        data = _with_args(
            data, other_args(source, gateway, proxied=bool(proxy), tls_on=routers.tls_on)
        )
    data |= {"autoscaler": scaler} if scaler else {}
    if not source.own and (prometheus := prometheus_of(source, drafts)):
        data["metrics"] = {"prometheus": prometheus}
    data["services"] = drafts
    if not data.get("gateway", True):
        del data["gateway"]
    mounted = [mount for entry in drafts.values() for mount in entry.get("volumes", ())]
    if passed := passed_of(source, top, networks, project, mounted):
        data["x-compose"] = passed
    _note_top(source, top)
    if source.own:
        data = _with_args(data, _own_args(data, gateway))
    notes = sorted(dict.fromkeys(source.notes), key=lambda note: (note.file or "", note.line))
    return Imported(data, tuple(notes), source.made, gateway.name is not None)


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
            name, alias = linked(source.resolved(link))
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
                if not source.own:
                    place = ("services", owner, "depends_on", name, "required")
                    source.not_carried(place, f"{name} has to start")
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
            "the file has no Traefik: msctl's own takes ports 80 and 443 (gateway: http, https); "
            "where another project's leads to these services, it holds them"
        )
        source.note(("services",), message)
        return {"gateway": {} if routers.tls_on else {"tls": {"mode": "off"}}}
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


def _note_top(source: Source, top: Mapping[str, Any]) -> None:
    for key in top:
        if key not in _TOP and not key.startswith("x-"):
            source.not_carried((key,))
