"""A Compose document as Docker Compose has it in memory.

The rules are those of compose-go: ``transform`` (short syntaxes), ``override/uncity.go``
(duplicates), ``paths``, ``loader/normalize.go`` and the ``DecodeMapstructure`` methods of
``types``. Checked against Docker Compose 5.6.1, from which this differs only in that it refuses
(ValueError) what Compose misreads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msctl.frozen import dataclass
from msctl.render.canonical.composetypes import RESOURCES, SERVICE, TEXT, Kind
from msctl.render.canonical.shorthand import (
    clean_path,
    is_windows_path,
    short_device,
    short_mount,
    short_ports,
)
from msctl.render.canonical.values import SCALARS, mapping, number, sequence, text, user_keys, wrong


@dataclass(frozen=True)
class _Place:
    """Where relative paths and ``~`` lead."""

    working_dir: str
    home: str | None

    def absolute(self, path: str, at: str) -> str:
        if path.startswith("~"):
            if self.home is None:
                raise ValueError(f"{at}: {path!r} is in a home, and $HOME is not set")
            path = clean_path(f"{self.home}/{path[1:]}")
        if path.startswith("/") or is_windows_path(path):
            return path
        return clean_path(f"{self.working_dir}/{path}")


def canonical(
    document: Mapping[str, Any], *, working_dir: str, project: str, home: str | None = None
) -> dict[str, Any]:
    """The normalised form of a Compose document, of plain JSON values; its own normal form.

    The document is interpolated and its `env_file`s are merged into `environment`; a null in
    `environment` stays, as for a variable that the host does not set. Paths become absolute against
    `working_dir`, `~` becomes `home`, extensions (`x-…`) are dropped. Raises ValueError, with the
    path of the key, for what the tables of `confighash` do not cover.
    """
    place = _Place(working_dir, home)
    for key in document:
        if key not in {"name", "version", "services", *RESOURCES} and not key.startswith("x-"):
            raise ValueError(f"{key}: this top-level key is not covered")
    services = {
        name: _service(raw, f"services.{name}", place)
        for name, raw in mapping(document.get("services") or {}, "services").items()
    }
    resources = {
        section: _resources(section, document.get(section) or {}, place, project)
        for section in RESOURCES
    }
    if any("default" in service.get("networks", {}) for service in services.values()):
        resources["networks"].setdefault("default", {"name": f"{project}_default"})
    return {"name": project, "services": services, **resources}


def _service(raw: Any, at: str, place: _Place) -> dict[str, Any]:
    service: dict[str, Any] = _read(raw, SERVICE, at)
    if not service.get("networks") and "network_mode" not in service:
        service["networks"] = {"default": None}
    if service.get("networks") and "network_mode" in service:
        raise ValueError(f"{at}: network_mode and networks exclude each other")
    if "dns" in service:
        service["dns"] = [server for server in service["dns"] if server]
    if service.get("pull_policy") == "if_not_present":
        service["pull_policy"] = "missing"
    if "build" in service:
        service["build"] = _context(service["build"], f"{at}.build", place)
    if "volumes" in service:
        service["volumes"] = _placed(service["volumes"], f"{at}.volumes", place)
    _agree_on_scale(service, at)
    if dependencies := {**_implied(service), **service.get("depends_on", {})}:
        service["depends_on"] = dependencies
    return {key: service[key] for key in SERVICE.fields or () if key in service}


def _agree_on_scale(service: dict[str, Any], at: str) -> None:
    scale, deploy = service.get("scale"), service.get("deploy")
    if scale is None or deploy is None:
        return
    if deploy.setdefault("replicas", scale) != scale:
        raise ValueError(f"{at}: scale and deploy.replicas differ")


def _implied(service: Mapping[str, Any]) -> dict[str, Any]:
    """The services that must run first because a link, a namespace or a volume is theirs."""
    links = [
        link.split(":")[0] if link.count(":") == 1 else link for link in service.get("links", ())
    ]
    spaces = [service.get(key, "") for key in ("network_mode", "ipc", "pid", "uts", "cgroup")]
    shared = [space.removeprefix("service:") for space in spaces if space.startswith("service:")]
    started = {"condition": "service_started", "restart": True, "required": True}
    lenders = [
        v.split(":")[0] for v in service.get("volumes_from", ()) if not v.startswith("container:")
    ]
    return {
        **{lender: {**started, "restart": False} for lender in lenders},
        **{name: dict(started) for name in (*links, *shared)},
    }


def _placed(mounts: list[dict[str, Any]], at: str, place: _Place) -> list[dict[str, Any]]:
    for index, mount in enumerate(mounts):
        if not mount.get("target"):
            raise ValueError(f"{at}[{index}].target: a mount needs one")
        if mount.get("type") == "bind":
            if not mount.get("source"):
                raise ValueError(f"{at}[{index}].source: a bind mount needs one")
            mount["source"] = place.absolute(mount["source"], f"{at}[{index}].source")
        mount["target"] = clean_path(mount["target"])
    if len({mount["target"] for mount in mounts}) < len(mounts):
        raise ValueError(f"{at}: two mounts have one target")
    return mounts


def _context(build: Mapping[str, Any], at: str, place: _Place) -> dict[str, Any]:
    """No part of the hash: only what it takes to find the files is normalised."""
    context = build.get("context") or "."
    if "://" not in context and not context.startswith(("service:", "github.com/", "git@")):
        context = place.absolute(context, f"{at}.context")
    inline = "dockerfile_inline" in build
    return {**({} if inline else {"dockerfile": "Dockerfile"}), **build, "context": context}


def _resources(section: str, raw: Any, place: _Place, project: str) -> dict[str, Any]:
    """Top-level networks, volumes, secrets or configs, each with the name that the engine knows."""
    resources = {}
    for key, entry in mapping(raw, section).items():
        at, entry = f"{section}.{key}", dict(mapping(entry or {}, f"{section}.{key}"))
        if isinstance(entry.get("external"), Mapping):
            entry = {**entry["external"], **entry, "external": True}
        resource: dict[str, Any] = _read(entry, RESOURCES[section], at)
        resource.setdefault("name", key if resource.get("external") else f"{project}_{key}")
        if resource.get("file"):
            resource["file"] = place.absolute(resource["file"], f"{at}.file")
        options = resource.get("driver_opts", {}) if resource.get("driver") == "local" else {}
        if section == "volumes" and options.get("o") == "bind" and "device" in options:
            options["device"] = place.absolute(options["device"], f"{at}.driver_opts.device")
        resources[key] = resource
    return resources


def _read(value: Any, kind: Kind, at: str) -> Any:
    if scalar := SCALARS.get(kind.reads):
        return scalar(value, at)
    return _SHAPES[kind.reads](value, kind, at)


# Shapes: what holds other values, read as its `Kind` says.


def _struct(value: Any, kind: Kind, at: str) -> dict[str, Any]:
    fields, value = kind.fields or {}, mapping(value, at)
    for key in value:
        if key not in fields and not key.startswith("x-"):
            raise ValueError(f"{at}.{key}: not covered by the Compose config hash")
    return {
        key: _read(value[key], field, f"{at}.{key}")
        for key, field in fields.items()
        if value.get(key) is not None
    }


def _map(value: Any, kind: Kind, at: str) -> dict[str, Any]:
    of, entries = kind.of or TEXT, user_keys(value, at).items()
    return {k: None if e is None else _read(e, of, f"{at}.{k}") for k, e in entries}


def _list(value: Any, kind: Kind, at: str) -> list[Any]:
    of, entries = kind.of or TEXT, enumerate(sequence(value, at))
    return [_read(entry, of, f"{at}[{number}]") for number, entry in entries]


def _set(value: Any, kind: Kind, at: str) -> list[Any]:
    return _unique(_list(value, kind, at), lambda entry: entry.partition("=")[0])


def _one_or_more(value: Any, kind: Kind, at: str) -> list[Any]:
    return _set([value] if isinstance(value, str) else value, kind, at)


def _attachments(value: Any, kind: Kind, at: str) -> dict[str, Any]:
    if isinstance(value, list | tuple):
        value = {text(name, at): None for name in value}
    return _map(value, kind, at)


def _depends_on(value: Any, kind: Kind, at: str) -> dict[str, Any]:
    if isinstance(value, list | tuple):
        value = {text(name, at): {} for name in value}
    defaults = {"condition": "service_started", "required": True}
    return {name: {**defaults, **(entry or {})} for name, entry in _map(value, kind, at).items()}


def _device_request(value: Any, kind: Kind, at: str) -> dict[str, Any]:
    request = _struct(value, kind, at)
    return request if {"count", "device_ids"} & request.keys() else {**request, "count": -1}


def _gpus(value: Any, kind: Kind, at: str) -> list[dict[str, Any]]:
    return _list([{}] if value == "all" else value, kind, at)


def _devices(value: Any, kind: Kind, at: str) -> list[dict[str, Any]]:
    entries = [short_device(e, at) if isinstance(e, str) else e for e in sequence(value, at)]
    if not all(isinstance(e, Mapping) and {"source", "target"} <= e.keys() for e in entries):
        raise wrong(value, "a list of source:target, or of mappings of both", at)
    return _unique(_list(entries, kind, at), lambda device: device.get("target"))


def _files(value: Any, kind: Kind, at: str) -> list[dict[str, Any]]:
    folder = "/run/secrets" if kind.reads == "secrets" else ""
    entries = [{"source": e} if isinstance(e, str) else e for e in sequence(value, at)]
    files = _list(entries, kind, at)
    files = _unique(files, lambda f: f.get("target", f"{folder}/{f.get('source')}"))
    return [{"target": f"{folder}/{f.get('source')}", **f} if folder else f for f in files]


def _mounts(value: Any, kind: Kind, at: str) -> list[dict[str, Any]]:
    entries = [short_mount(e, at) if isinstance(e, str) else e for e in sequence(value, at)]
    return _unique(_list(entries, kind, at), lambda mount: mount.get("target"))


def _ports(value: Any, kind: Kind, at: str) -> list[dict[str, Any]]:
    entries: list[Any] = []
    for entry in sequence(value, at):
        short = isinstance(entry, str | int)
        entries += short_ports(str(entry), at) if short else [mapping(entry, at)]
    defaults = {"mode": "ingress", "protocol": "tcp"}
    raw = _unique(entries, lambda port: _port_key(port, repr(port.get("published"))))
    ports = [{**defaults, **port} for port in _list(raw, kind, at)]
    if len(_unique(ports, lambda port: _port_key(port, port.get("published")))) < len(ports):
        raise ValueError(f"{at}: a port is published twice, once as a number and once as a string")
    return ports


def _port_key(port: Mapping[str, Any], published: Any) -> tuple[Any, ...]:
    host, target = port.get("host_ip", "0.0.0.0"), str(port.get("target"))
    return host, published, target, port.get("protocol", "tcp")


def _ulimit(value: Any, kind: Kind, at: str) -> int | dict[str, Any]:
    if not isinstance(value, Mapping):
        return number(value, at)
    limits = _struct(value, kind, at)
    if limits.keys() != {"soft", "hard"}:
        raise wrong(value, "a number, or soft and hard", at)
    return limits


def _unique(entries: Iterable[Any], key: Callable[[Any], Any]) -> list[Any]:
    """One entry for each key: the last, in the place of the first."""
    return list({key(entry): entry for entry in entries}.values())


_SHAPES: dict[str, Callable[[Any, Kind, str], Any]] = {
    "attachments": _attachments,
    "configs": _files,
    "depends_on": _depends_on,
    "device_request": _device_request,
    "devices": _devices,
    "gpus": _gpus,
    "list": _list,
    "map": _map,
    "mounts": _mounts,
    "one_or_more": _one_or_more,
    "ports": _ports,
    "secrets": _files,
    "set": _set,
    "struct": _struct,
    "ulimit": _ulimit,
}
