"""What a service mounts, as Kubernetes has it.

A bind mount that is only read becomes a ConfigMap of what lies there; a volume of one stateful
service a claim of its StatefulSet; any other volume a claim of the stack.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from msctl.fields import parse_size
from msctl.fields.mounts import Mount, parse_mount
from msctl.model import Service, Stack
from msctl.render.kubernetes import passthrough
from msctl.render.kubernetes.names import FILES, Data, Maker, dns_name
from msctl.render.kubernetes.quantities import size

Contents = Mapping[str, Mapping[str, bytes]]
"""What lies at the sources of bind mounts, as the stack file writes them: by path within a folder,
or by "" for a file."""
MODE = 0o555
"""Of files out of a ConfigMap: scripts may be among them."""
OF_NAMESPACE = b"${KUBERNETES_NAMESPACE}"
"""What stands for the namespace in a file that the key `kubernetes` mounts."""
MOST_BYTES = 1024 * 1024
"""That a ConfigMap holds: https://kubernetes.io/docs/concepts/configuration/configmap/."""


@dataclass(frozen=True)
class Mounted:
    """A mount, and where in the stack file it is."""

    path: tuple[str | int, ...]
    mount: Mount
    read_only: bool
    limit: int | None = None
    """Bytes of a tmpfs, where the file says how many."""


def mounts_of(service: Service) -> tuple[Mounted, ...]:
    """The service's mounts on Kubernetes: one of its key `kubernetes` wins over one at the same
    place."""
    found: dict[str, Mounted] = {}
    given: Sequence[tuple[tuple[str, ...], Sequence[str | Mapping[str, object]]]] = (
        (("volumes",), service.volumes),
        (("kubernetes", "volumes"), service.kubernetes.volumes),
    )
    for key, entries in given:
        for index, entry in enumerate(entries):
            mount = parse_mount(entry)
            found[mount.target] = Mounted(
                (*key, index), mount, _read_only(entry), tmpfs_size(entry)
            )
    return tuple(found.values())


def _read_only(entry: str | Mapping[str, object]) -> bool:
    if not isinstance(entry, str):
        return entry.get("read_only") is True
    options = entry.rpartition(":")[2].split(",")
    return "ro" in options


def tmpfs_size(entry: str | Mapping[str, object]) -> int | None:
    """Bytes that an entry of `volumes` allows; None where it says none, or no size."""
    options = None if isinstance(entry, str) else entry.get("tmpfs")
    said = options.get("size") if isinstance(options, Mapping) else None
    try:
        return None if said is None else parse_size(said)
    except ValueError:
        return None


def owners(stack: Stack) -> dict[str, list[str]]:
    """The services that mount each named volume."""
    found: dict[str, list[str]] = {}
    for name, service in stack.services.items():
        for mounted in mounts_of(service):
            if mounted.mount.kind == "volume" and mounted.mount.source:
                users = found.setdefault(mounted.mount.source, [])
                if name not in users:
                    users.append(name)
    return found


def own_volumes(stack: Stack, name: str) -> list[str]:
    """The volumes that a stateful service has for itself."""
    if not stack.services[name].stateful:
        return []
    return [volume for volume, users in owners(stack).items() if users == [name]]


def shared_claims(make: Maker) -> Iterator[tuple[str, Data]]:
    """A claim for each volume that no StatefulSet claims, with its first user."""
    stack = make.stack
    for volume, users in owners(stack).items():
        if volume in own_volumes(stack, users[0]):
            continue
        services = [stack.services[user].kubernetes for user in users]
        mode = next((s.access_mode for s in services if s.access_mode), "ReadWriteMany")
        spec = _claim(mode, max(s.storage for s in services))
        claim = make.object(
            "v1 PersistentVolumeClaim", dns_name(volume), users[0], "volume", spec=spec
        )
        yield users[0], claim


def claim_templates(stack: Stack, name: str) -> list[Data]:
    said = stack.services[name].kubernetes
    spec = _claim(said.access_mode or "ReadWriteOnce", said.storage)
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": dns_name(volume)},
            "spec": spec,
        }
        for volume in own_volumes(stack, name)
    ]


def _claim(mode: str, storage: int) -> Data:
    return {"accessModes": [mode], "resources": {"requests": {"storage": size(storage)}}}


def files_of(service: Service, contents: Contents) -> dict[str, bytes]:
    """The service's ConfigMap: what all its bind mounts hold, by key."""
    return {
        _key(mounted.mount, path): content
        for mounted in mounts_of(service)
        if mounted.mount.kind == "bind"
        for path, content in contents.get(mounted.mount.source or "", {}).items()
    }


def of_namespace(make: Maker, contents: Contents) -> Contents:
    """The contents, with the namespace in those files that are for Kubernetes alone."""
    own = {
        mounted.mount.source
        for service in make.stack.services.values()
        for mounted in mounts_of(service)
        if mounted.path[0] == "kubernetes"
    }
    name = make.namespace.encode()
    return {
        source: {path: text.replace(OF_NAMESPACE, name) for path, text in found.items()}
        if source in own
        else found
        for source, found in contents.items()
    }


def _key(mount: Mount, path: str) -> str:
    """A key of a ConfigMap that no other file has, and that shows which one it is."""
    whole = posixpath.join(mount.target, path) if path else mount.target
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", whole).strip("-")
    digest = hashlib.sha256(whole.encode()).hexdigest()[:8]
    return f"{digest}-{plain[-200:]}"


def config_map(make: Maker, name: str, contents: Contents) -> Data | None:
    """The files that a service mounts; None without any."""
    files = files_of(make.stack.services[name], contents)
    if not files:
        return None
    texts, others = {}, {}
    for key, content in files.items():
        try:
            texts[key] = content.decode()
        except UnicodeDecodeError:
            others[key] = _base64(content)
    data = {"data": texts} if texts else {}
    binary = {"binaryData": others} if others else {}
    return make.object("v1 ConfigMap", f"{name}-files", name, "files", **data, **binary)


def _base64(content: bytes) -> str:
    from base64 import b64encode

    return b64encode(content).decode()


def digest(files: Mapping[str, bytes]) -> dict[str, str]:
    """The annotation by which a change of the files replaces the pods."""
    if not files:
        return {}
    said = {key: hashlib.sha256(content).hexdigest() for key, content in sorted(files.items())}
    return {FILES: hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]}


def volumes(stack: Stack, name: str, contents: Contents) -> tuple[list[Data], list[Data]]:
    """Volumes of the pod, and mounts of its container."""
    service, own = stack.services[name], own_volumes(stack, name)
    made: dict[str, Data] = {}
    places: list[Data] = []
    for index, mounted in enumerate(mounts_of(service)):
        mount = mounted.mount
        place: Data = {"mountPath": mount.target}
        if mount.kind == "bind":
            found = contents.get(mount.source or "", {})
            volume, source, sub = f"files-{index}", _of_files(name, mount, found), {}
            if "" in found:
                sub = {"subPath": posixpath.basename(mount.target)}
            place |= {"readOnly": True, **sub}
        elif mount.source:
            volume, source = dns_name(mount.source), {}
            if mount.source not in own:
                claim = {"claimName": volume}
                source = {"persistentVolumeClaim": claim}
            if mounted.read_only:
                place |= {"readOnly": True}
        else:
            volume = f"scratch-{index}"
            source = {"emptyDir": _scratch(mounted)}
        if source:
            made[volume] = source
        places.append({"name": volume, **place})
    return [{"name": volume, **source} for volume, source in made.items()], places


def memory(service: Service) -> tuple[list[Data], list[Data]]:
    """Folders in memory: those of the key `tmpfs`, and /dev/shm where the file says its size; what
    a mount has already is not made twice."""
    taken = {mounted.mount.target for mounted in mounts_of(service)}
    folders = {path: limit for path, limit, _ in tmpfs_of(service) if path not in taken}
    made: list[Data] = []
    for index, limit in enumerate(folders.values()):
        bound = {} if limit is None else {"sizeLimit": size(limit)}
        made.append({"name": f"tmpfs-{index}", "emptyDir": {"medium": "Memory", **bound}})
    places = [{"name": f"tmpfs-{i}", "mountPath": path} for i, path in enumerate(folders)]
    shared = passthrough.shared_memory(service)
    if shared is not None and passthrough.SHM not in {*taken, *folders}:
        made.append(shared)
        places.append({"name": shared["name"], "mountPath": passthrough.SHM})
    return made, places


def tmpfs_of(service: Service) -> Iterator[tuple[str, int | None, tuple[str, ...]]]:
    """Path, bytes where it says how many, and the options that an emptyDir does not have."""
    for entry in service.tmpfs:
        path, _, written = entry.partition(":")
        limit, others = None, []
        for option in filter(None, written.split(",")):
            name, _, value = option.partition("=")
            try:
                found = parse_size(value) if name == "size" else None
            except ValueError:
                found = None
            if found is None:
                others.append(option)
            else:
                limit = found
        yield path.rstrip("/") or "/", limit, tuple(others)


def _scratch(mounted: Mounted) -> Data:
    memory = {"medium": "Memory"} if mounted.mount.kind == "tmpfs" else {}
    return {**memory, **({} if mounted.limit is None else {"sizeLimit": size(mounted.limit)})}


def _of_files(name: str, mount: Mount, found: Mapping[str, bytes]) -> Data:
    items = [
        {"key": _key(mount, path), "path": path or posixpath.basename(mount.target)}
        for path in found
    ]
    return {"configMap": {"name": f"{name}-files", "defaultMode": MODE, "items": items}}
