"""The Compose file's Traefik → `gateway`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from msctl.config.problems import Path
from msctl.importing.confining import FIRST_CLASS
from msctl.importing.routes.labels import Labels, listed
from msctl.importing.source import Source, pairs, several
from msctl.importing.statics import Statics, mounted, statics_of, words
from msctl.model import DOCKER_SOCKET, GATEWAY
from msctl.model import gateway as stack_file
from msctl.render.confinement import confinement

_IMAGE = re.compile(r"(?:.*/)?traefik(?::(?P<tag>[^@]*))?(?:@.*)?")
_VERSION = re.compile(r"v?(\d+)(?:\.(\d+))?")
_FIRST = (3, 7)
"""The first version that lets a pin win over labels at equal priority."""
_ACME = re.compile(r"certificatesresolvers\.([^.]+)\.acme\.(.+)")
_GUARDS = re.compile(r"entrypoints\.([^.]+)\.http\.middlewares(?:\[\d+\])?")
HTTP_POINTS, HTTPS_POINTS = ("web", "http"), ("websecure", "https")
"""What people call their entry points."""
_PUBLISHED = re.compile(
    r"(?P<host>(?:.+:)?(?:\$\{[^}]*\}|[0-9]*)):(?P<port>[0-9]+)(?:/tcp)?|(?P<bare>[0-9]+)"
)
_CARRIED = {
    "image", "build", "command", "ports", "labels", "networks", "restart", "container_name",
    "depends_on", "security_opt", "healthcheck", "profiles",
}  # fmt: skip
_VOLUME = re.compile(r"(gateway|gateway-acme):.*")
_SOCKET = re.compile(r"(?P<path>.+?):(?:/var)?/run/docker\.sock(?::[a-z,]+)?")


@dataclass
class Gateway:
    """What the Traefik of a Compose file comes to."""

    name: str | None = None
    """Its name as a service; None: the file has none."""
    data: dict[str, Any] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)
    """The words of its command."""
    statics: Statics = field(default_factory=Statics)
    entry_points: dict[str, str] = field(default_factory=dict)
    """The container's port of each, by name."""
    secure: set[str] = field(default_factory=lambda: set(HTTPS_POINTS))
    """Entry points whose routers have TLS."""
    guards: dict[str, list[str]] = field(default_factory=dict)
    """Middlewares that each entry point sends all its requests through."""
    exposes_all: bool = True
    """Whether it takes services that do not say traefik.enable=true."""
    resolver: str | None = None
    """Who gives it certificates: the first that an `acme` is of."""
    acme: dict[str, str] = field(default_factory=dict)
    network: str | None = None
    """The network by which it reaches services whose labels name none."""
    proxy: str | None = None
    """The service that stands between it and the engine's socket."""

    def publishes(self, entry_point: str) -> bool | None:
        """Whether an entry point is one that the stack's gateway has, too; None: not told."""
        if entry_point in HTTP_POINTS + HTTPS_POINTS:
            return True
        port = self.entry_points.get(entry_point)
        return None if not self.entry_points else port in ("80", "443")


def find_gateway(source: Source, services: Mapping[str, Any]) -> Gateway:
    """Traefik among the services, and what its flags say."""
    for name, service in services.items():
        image = source.resolved(service.get("image") or "")
        if _IMAGE.fullmatch(image) or (source.own and name == GATEWAY):
            return _read(source, name, service)
    return Gateway()


def _read(source: Source, name: str, service: Mapping[str, Any]) -> Gateway:
    found = Gateway(name, flags=words(service.get("command")))
    found.statics = statics_of(source, name, service)
    for setting in found.statics.settings:
        key, value = setting.key, setting.value
        if guards := _GUARDS.fullmatch(key):
            found.guards.setdefault(guards[1], []).extend(listed(value))
        if key == "providers.docker.exposedbydefault":
            found.exposes_all = source.resolved(value).lower() != "false"
        parts = key.split(".")
        if parts[0] == "entrypoints" and parts[2:] == ["address"]:
            port = source.resolved(value).rpartition(":")[2]
            found.entry_points[parts[1]] = port.removesuffix("/tcp")
        if parts[0] == "entrypoints" and parts[2:4] == ["http", "tls"]:
            found.secure.add(parts[1])
            if parts[4:] == ["options"] and not value.startswith("default"):
                found.guards.setdefault(parts[1], []).append(f"tls.options={value}")
        if key == "providers.docker.network":
            found.network = value
        if key == "providers.docker.endpoint":
            found.proxy = urlsplit(source.resolved(value)).hostname
        if acme := _ACME.fullmatch(key):
            found.resolver = found.resolver or acme[1]
            if found.resolver == acme[1]:
                found.acme[acme[2]] = value
    for entry_point, port in found.entry_points.items():
        if port == "443":
            found.secure.add(entry_point)
    return found


def gateway_data(
    source: Source, gateway: Gateway, service: Mapping[str, Any], labels: Labels, tls_on: bool
) -> dict[str, Any]:
    """The `gateway` of the stack file; what has no place in it is noted."""
    assert gateway.name is not None
    at: Path = ("services", gateway.name)
    data: dict[str, Any] = _image(source, gateway.name, service)
    published = _published(source, at, service)
    if source.resolved(service.get("network_mode") or "") == "host":
        published |= {port: port for port in gateway.entry_points.values()}
    ports = {"web": "80", "websecure": "443", **gateway.entry_points}
    http = _first(published, ports, HTTP_POINTS, "80")
    https = _first(published, ports, HTTPS_POINTS, "443")
    dashboard = _first(published, ports, ("traefik",), "8080")
    data["http"] = http or "off"
    if tls_on:
        data["https"] = https or "443"
    if dashboard is not None:
        data["dashboard"] = dashboard
        if ":" not in dashboard and not source.own:
            data["dashboard"] = f"127.0.0.1:{dashboard}"
            source.note((*at, "ports"), "the dashboard is published on loopback only")
    elif source.own:
        data["dashboard"] = "off"
    _note_ports(source, at, published, {http, https, dashboard})
    data["tls"] = _tls(gateway, tls_on)
    _dashboard_host(source, labels, data, tls_on)
    if source.own:
        data |= _confined(service)
        data |= {"socket_proxy": "off"} if gateway.proxy is None else {}
    _note_rest(source, gateway, service, at)
    defaults = {"http": "80", "https": "443", "dashboard": "127.0.0.1:8080"}
    if data["tls"] == {"mode": "self-signed"}:
        del data["tls"]
    return {key: value for key, value in data.items() if defaults.get(key) != value}


def _confined(service: Mapping[str, Any]) -> dict[str, Any]:
    """How the gateway is confined, where that is not as usual."""
    usual = stack_file.Gateway()
    rendered = {**confinement(usual), "pids_limit": usual.pids_limit}
    said = {key: service[key] for key in FIRST_CLASS if key in service}
    whole = {**FIRST_CLASS, **said}
    return {} if said == rendered else {key: whole[key] for key in whole if whole[key] is not None}


def own_args(flags: list[str], without: list[str]) -> list[str]:
    """The user's own flags: those behind the ones that msctl gives."""
    return flags[len(without) :] if flags[: len(without)] == without else []


def socket_of(*services: Mapping[str, Any]) -> str | None:
    """Where the engine's socket is that one of these services has; None: where it is as a rule."""
    texts = [_mount(volume) for one in services for volume in several(one.get("volumes"))]
    found = next((m["path"] for text in texts if (m := _SOCKET.fullmatch(text))), None)
    return None if found in (DOCKER_SOCKET, DOCKER_SOCKET.removeprefix("/var")) else found


def _image(source: Source, name: str, service: Mapping[str, Any]) -> dict[str, Any]:
    image = service.get("image")
    data: dict[str, Any] = {"build": service["build"]} if "build" in service else {}
    if image is None:
        return data
    tag = _IMAGE.fullmatch(source.resolved(image))
    version = _VERSION.match((tag["tag"] if tag else None) or "latest")
    told = tuple(int(part or 99) for part in version.groups()) if version else _FIRST
    if source.own or told >= _FIRST:
        return {"image": image, **data}
    message = f"{image} is older than what msctl needs, v3.7; gateway.image is msctl's own"
    source.note(("services", name, "image"), message)
    return {}


def _published(source: Source, at: Path, service: Mapping[str, Any]) -> dict[str, str]:
    """Where each port of the container is published."""
    found: dict[str, str] = {}
    for index, entry in enumerate(several(service.get("ports"))):
        if isinstance(entry, dict):
            host = f"{entry['host_ip']}:" if entry.get("host_ip") else ""
            found[str(entry.get("target"))] = f"{host}{entry.get('published', '')}"
            continue
        parts = _PUBLISHED.fullmatch(str(entry)) or _PUBLISHED.fullmatch(source.resolved(entry))
        if parts is None:
            udp = "the gateway has no HTTP/3" if str(entry).lower().endswith("/udp") else ""
            source.not_carried((*at, "ports", index), udp)
        elif parts["port"]:
            found[parts["port"]] = parts["host"]
    return found


def _first(
    published: Mapping[str, str], ports: Mapping[str, str], names: tuple[str, ...], usual: str
) -> str | None:
    wanted = next((ports[name] for name in names if name in ports), usual)
    found = published.get(wanted) or published.get(usual)
    return found or None


def _note_ports(
    source: Source, at: Path, published: Mapping[str, str], used: set[str | None]
) -> None:
    for container, host in published.items():
        probe = source.own and container == "8081"
        if host not in used and not probe:
            source.not_carried((*at, "ports"), f"port {container} of the gateway")


def _tls(gateway: Gateway, tls_on: bool) -> dict[str, Any]:
    if not tls_on:
        return {"mode": "off"}
    if "email" in gateway.acme:
        challenge = "tls" if any(key.startswith("tlschallenge") for key in gateway.acme) else "http"
        found: dict[str, Any] = {"mode": "acme", "email": gateway.acme["email"]}
        if challenge == "tls":
            found["challenge"] = "tls"
        if "staging" in gateway.acme.get("caserver", ""):
            found["staging"] = True
        return found
    return {"mode": "self-signed"}


def _dashboard_host(source: Source, labels: Labels, data: dict[str, Any], tls_on: bool) -> None:
    for router in labels.routers.values():
        if router.options.get("service") != "api@internal" or not tls_on:
            continue
        host = re.search(r"Host\(`([^`]+)`\)", router.options.get("rule", ""))
        if host is not None and "dashboard_host" not in data:
            data["dashboard_host"] = host[1]
            message = "the dashboard asks for the password of admin, which the first `up` shows"
            source.note(router.place, message)


def _mount(volume: Any) -> str:
    return volume if isinstance(volume, str) else ":".join(mounted(volume))


def _note_rest(source: Source, gateway: Gateway, service: Mapping[str, Any], at: Path) -> None:
    for key in service:
        own = source.own and key in FIRST_CLASS
        if (
            not own
            and key not in _CARRIED | {"volumes", "environment"}
            and not key.startswith("x-")
        ):
            source.not_carried((*at, key), "the gateway is msctl's own")
    for index, volume in enumerate(several(service.get("volumes"))):
        text, (_, target) = _mount(volume), mounted(volume)
        storage = gateway.acme.get("storage", "")
        if index == gateway.statics.mount:
            continue  # what is in it is told line by line
        if target and storage.startswith(target):
            source.note((*at, "volumes", index), "certificates are fetched anew")
        elif not _VOLUME.fullmatch(text) and not _SOCKET.fullmatch(text):
            source.not_carried((*at, "volumes", index), "the gateway mounts what msctl gives it")
    for name, _, place in pairs(service.get("environment")):
        if not source.own and name.lower().startswith("traefik_"):
            continue  # a setting of its own
        source.not_carried((*at, "environment", place), f"{name} of the gateway")
    for name, labels_value, place in pairs(service.get("labels")):
        if not name.lower().startswith("traefik."):
            source.not_carried((*at, "labels", place), f"{name}={labels_value} of the gateway")
