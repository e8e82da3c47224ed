"""What a service of a stack file has and Kubernetes cannot carry. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from msctl.fields import shown
from msctl.fields.ports import parse_port
from msctl.model import Service, Stack
from msctl.render.kubernetes import passthrough
from msctl.render.kubernetes.mounts import (
    MOST_BYTES,
    Contents,
    Mounted,
    files_of,
    mounts_of,
    own_volumes,
    tmpfs_size,
)
from msctl.render.kubernetes.names import GATEWAY_NAME, wrong_annotation
from msctl.render.kubernetes.pods import count, ports_of
from msctl.render.kubernetes.routes import REDIRECT
from msctl.render.kubernetes.security import options, unknown_user
from msctl.render.kubernetes.workloads import is_public, public_name

Path = tuple[str | int, ...]
Found = Iterator[tuple[Path, str]]
LONGEST = 50
"""Of a service's name: what is made of it gets a suffix, and has 63 characters at the most."""
_SERVICE_NAME = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")
_VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")


def of_service(stack: Stack, name: str, contents: Contents) -> Found:
    """By path below the service."""
    service = stack.services[name]
    long = list(_long_form(service))
    return chain(
        _name(stack, name),
        _outside(service),
        _life(service),
        _scale(stack, service),
        _texts(service),
        _confinement(service),
        passthrough.problems(service),
        () if long else _mounts(stack, name, service, contents),
        long,
        _routes(service),
    )


def _name(stack: Stack, name: str) -> Found:
    if not _SERVICE_NAME.fullmatch(name):
        yield (
            (),
            "Kubernetes names a Service with lower-case letters, digits and -, a letter first; "
            f"{name} is none, rename it",
        )
    elif len(name) > LONGEST:
        yield (), f"the name has {len(name)} characters; Kubernetes has room for {LONGEST}"
    if name in (GATEWAY_NAME, REDIRECT):
        yield (), f"{name} is a name of the gateway's on Kubernetes; choose another"
    for other, public in stack.services.items():
        kind = public.kubernetes.service_type
        if is_public(public) and kind and name == public_name(other, kind):
            yield (), f"{name} is what the public Service of {other} is called; choose another"


def _outside(service: Service) -> Found:
    said = service.kubernetes.service_type
    if is_public(service):
        key = ("kubernetes", "service_type")
        if service.job:
            yield key, "a job is reached by nobody; remove it"
        elif not ports_of(service):
            yield key, f"{said} needs port, the container's port that it leads to"
    if said is not None:
        return
    for index, entry in enumerate(service.ports):
        published = parse_port(entry)
        if published.host_ip not in ("127.0.0.1", "::1"):
            yield (
                ("ports", index),
                "published to everyone; on Kubernetes nothing is, unless "
                "kubernetes.service_type says LoadBalancer or NodePort (ClusterIP: not at all)",
            )


def _life(service: Service) -> Found:
    if not service.job and service.restart == "no":
        yield (
            ("restart",),
            "Kubernetes starts an ended container again, whatever ended it; write another "
            "policy, or job: true",
        )
    if service.job and service.kubernetes.replicas is not None:
        yield ("kubernetes", "replicas"), "a job runs once; remove it"
    for key in ("entrypoint", "command"):
        if getattr(service, key) in ((), ""):
            yield (
                (key,),
                f"an empty {key}, which takes the image's away, cannot be told to Kubernetes; "
                "write what shall run",
            )
    health = service.health
    if health is not None and (
        health.grpc and service.port is None and not isinstance(health.command, tuple)
    ):
        yield ("health", "grpc"), "health.grpc needs port, the container's port to ask"


def _scale(stack: Stack, service: Service) -> Found:
    said, scaled = service.kubernetes.replicas, service.autoscale
    key: Path = ("kubernetes", "replicas")
    if said is not None and service.stateful and said != 1:
        yield key, "a stateful service has one replica; remove it"
    bounds = service.replicas
    if said is not None and not service.stateful and not bounds.min <= said <= bounds.max:
        yield (
            key,
            f"{said} is outside {bounds.min} to {bounds.max}; write it into "
            f"replicas: {{min: {min(said, bounds.min)}, max: {max(said, bounds.max)}}}",
        )
    if scaled is None:
        return
    if said is not None:
        yield key, "an autoscaler says how many; remove it, or autoscale"
    if scaled.cpu is None and not stack.kubernetes.keda:
        yield (
            ("autoscale",),
            "without cpu there is nothing that Kubernetes scales by itself; add cpu, or write "
            "kubernetes: {keda: true} at the top, where KEDA is installed",
        )


def _texts(service: Service) -> Found:
    for name in service.labels:
        if name.startswith("traefik."):
            yield (
                ("labels", name),
                "Traefik reads no labels on Kubernetes; use routes and the keys for middlewares",
            )
        elif (wrong := wrong_annotation(name)) is not None:
            yield ("labels", name), wrong
    for key, env in ((("env",), service.env), (("kubernetes", "env"), service.kubernetes.env)):
        for name, value in env.items():
            if not _VARIABLE.fullmatch(name):
                yield (
                    (*key, name),
                    f"{shown(name)} is no name of a variable; write letters, digits, - _ and .",
                )
            elif value is None and key[0] == "kubernetes":
                yield (*key, name), "has no value; write one"


def _confinement(service: Service) -> Found:
    if (name := unknown_user(service)) is not None:
        yield (
            ("user",),
            f"{shown(name)} is no number, and no node looks names up in an image; write numbers, "
            "UID or UID:GID, or kubernetes: {user: NUMBER}",
        )
    for option in options(service).others:
        yield (
            ("security_opt", service.security_opt.index(option)),
            f"{shown(option)} has no counterpart on Kubernetes; remove it, or keep another stack "
            "file without",
        )


def _mounts(stack: Stack, name: str, service: Service, contents: Contents) -> Found:
    for mounted in mounts_of(service):
        if mounted.mount.kind == "bind":
            yield from _bind(mounted, contents)
        elif re.search(r":|\A[A-Za-z]:", mounted.mount.target):
            yield mounted.path, f"{shown(mounted.mount.target)} is no path of a container on Linux"
    total = sum(map(len, files_of(service, contents).values()))
    if total > MOST_BYTES:
        yield (
            ("volumes",),
            f"the files that it mounts have {total} bytes, and a ConfigMap holds {MOST_BYTES}; "
            "put them into the image or a volume",
        )
    mode = service.kubernetes.access_mode
    shared = not set(own_volumes(stack, name)) and not service.stateful
    if shared and mode == "ReadWriteOncePod" and (service.autoscale or count(service) > 1):
        yield (
            ("kubernetes", "access_mode"),
            "ReadWriteOncePod is for one pod; write ReadWriteMany, or ReadWriteOnce on one node",
        )


def _long_form(service: Service) -> Found:
    """Options of mounts that Kubernetes has no place for here."""
    given = (
        (("volumes",), service.volumes),
        (("kubernetes", "volumes"), service.kubernetes.volumes),
    )
    for key, entries in given:
        for index, entry in enumerate(entries):
            if isinstance(entry, str):
                continue
            volume, tmpfs = entry.get("volume"), entry.get("tmpfs")
            if isinstance(volume, dict) and "subpath" in volume:
                yield (*key, index), "a subpath of a volume is not rendered; mount it whole"
            if isinstance(tmpfs, dict) and "size" in tmpfs and tmpfs_size(entry) is None:
                yield (*key, index), f"tmpfs.size {shown(tmpfs['size'])} is no size (such as 64M)"


def _bind(mounted: Mounted, contents: Contents) -> Found:
    source = mounted.mount.source or ""
    if not mounted.read_only:
        yield (
            mounted.path,
            f"{shown(source)} is a path of the host, written to; add :ro, so that it becomes a "
            "ConfigMap, or name a volume",
        )
    elif source not in contents:
        yield (
            mounted.path,
            f"{shown(source)} is no file or folder that can be read here; on Kubernetes it "
            "becomes a ConfigMap",
        )
    elif not contents[source]:
        yield mounted.path, f"{shown(source)} is an empty folder; put something in, or remove it"


def _routes(service: Service) -> Found:
    message = (
        "passwords are not rendered for Kubernetes; remove basic_auth, or keep another stack "
        "file without"
    )
    if service.basic_auth:
        yield ("basic_auth",), message
    for index, route in enumerate(service.routes):
        if route.basic_auth:
            yield ("routes", index, "basic_auth"), message
