"""What a service's container may do, as security contexts, and the profile that they fit.

https://kubernetes.io/docs/concepts/security/pod-security-standards/. Of whom it is known that it is
not root, the container has no capability but those that the file adds: the usual ones are for entry
points that begin as root (see `msctl.render.confinement`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from msctl.fields.ports import parse_port
from msctl.model import Service
from msctl.render.confinement import confinement
from msctl.render.kubernetes import passthrough
from msctl.render.kubernetes.images import known
from msctl.render.kubernetes.names import Data, filled

PROFILES = ("restricted", "baseline", "privileged")
"""Pod Security profiles, the strictest first."""
UNPRIVILEGED = 1024
"""The first port that needs no privilege of the kernel's."""
_BASELINE_ADDS = {
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE",
    "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
}  # fmt: skip
_RESTRICTED_ADDS = {"NET_BIND_SERVICE"}
_BASELINE_LABELS = {"container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
_LABEL = re.compile(r"(?P<key>level|type|user|role)[:=](?P<value>.+)")
_LARGEST = 2**31 - 1


@dataclass(frozen=True)
class RunsAs:
    """Whom a container runs as, from the start."""

    user: int
    group: int | None
    """None: whatever the image says."""


def image_of(service: Service) -> str:
    return service.kubernetes.image or service.image


def user_of(service: Service) -> RunsAs | None:
    """User and group of the container; None where nobody says them in numbers."""
    if service.kubernetes.user is not None:
        return RunsAs(service.kubernetes.user, service.kubernetes.user)
    user, _, group = (service.user or "").partition(":")
    if user.isdecimal():
        return RunsAs(int(user), int(group) if group.isdecimal() else None)
    found = known(image_of(service))
    return None if found is None else RunsAs(found.user, found.group)


def unknown_user(service: Service) -> str | None:
    """What `user` says in words or too large numbers, and no node can look up; None where it does
    not."""
    if service.user is None or service.kubernetes.user is not None:
        return None
    user, _, group = service.user.partition(":")
    for part in filter(None, (user, group)):
        if not part.isdecimal():
            named = known(image_of(service)) is not None and part == user
            return None if named else part
        if int(part) > _LARGEST:
            return part
    return None


def is_root(service: Service) -> bool:
    """Whether it may be; of an image that nobody knows, it may."""
    found = user_of(service)
    return found is None or found.user == 0


def capabilities(service: Service) -> Data:
    """`drop` and `add`, by the names that the API has, without `CAP_`."""
    given = confinement(service)
    add, drop = given.get("cap_add", []), given.get("cap_drop", [])
    if not is_root(service):
        add = service.cap_add
    return filled({"drop": _plain(drop), "add": _plain(add)})


def _plain(names: Iterator[str] | list[str] | tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys(name.removeprefix("CAP_") for name in names))


@dataclass(frozen=True)
class Options:
    """What `security_opt` says."""

    escalation: bool | None = None
    """None: it is not told."""
    seccomp: Data | None = None
    apparmor: Data | None = None
    labels: Data | None = None
    others: tuple[str, ...] = ()
    """What has no counterpart."""


def options(service: Service) -> Options:
    """Docker's options, by the fields of the API."""
    escalation: bool | None = None
    seccomp: Data | None = None
    apparmor: Data | None = None
    labels: Data = {}
    others: list[str] = []
    for option in service.security_opt:
        name, _, value = re.sub(r"[:=]", "=", option, count=1).partition("=")
        part = _LABEL.fullmatch(value) if name == "label" else None
        if name == "no-new-privileges":
            escalation = False if value in ("", "true") else None
        elif name == "seccomp" and value == "unconfined":
            seccomp = {"type": "Unconfined"}
        elif name == "apparmor" and value:
            apparmor = _apparmor(value)
        elif part is not None:
            labels[part["key"]] = part["value"]
        else:
            others.append(option)
    return Options(escalation, seccomp, apparmor, labels or None, tuple(others))


def _apparmor(value: str) -> Data:
    """A profile of one's own has to be loaded on the nodes."""
    if value == "unconfined":
        return {"type": "Unconfined"}
    if value == "docker-default":
        return {"type": "RuntimeDefault"}
    return {"type": "Localhost", "localhostProfile": value}


def of_container(service: Service) -> Data:
    """The container's security context. The API refuses one that is privileged and has no more
    privileges than its parent."""
    said = options(service)
    rights: Data = filled({"capabilities": capabilities(service)})
    if said.escalation is not None:
        rights["allowPrivilegeEscalation"] = said.escalation
    if passthrough.is_privileged(service):
        rights = {"privileged": True}
    return {
        **rights,
        **({"readOnlyRootFilesystem": True} if service.read_only else {}),
        **filled(
            {
                "seccompProfile": said.seccomp,
                "appArmorProfile": said.apparmor,
                "seLinuxOptions": said.labels,
            }
        ),
    }


def of_pod(service: Service, ports: Iterator[int]) -> Data:
    """The pod's security context."""
    low = any(number < UNPRIVILEGED for number in ports)
    # One of those that a pod may set for itself in every profile.
    allowed = {"net.ipv4.ip_unprivileged_port_start": "0"} if low else {}
    allowed |= passthrough.sysctls(service)
    others = {
        "supplementalGroups": passthrough.groups(service),
        "sysctls": [{"name": name, "value": value} for name, value in allowed.items()],
    }
    profile = {"seccompProfile": {"type": "RuntimeDefault"}, **filled(others)}
    found = user_of(service)
    if found is None:
        return profile
    group = {} if found.group is None else {"runAsGroup": found.group}
    if found.user == 0:
        return {"runAsUser": 0, **group, **profile}
    return {
        "runAsNonRoot": True,
        "runAsUser": found.user,
        **group,
        "fsGroup": found.group or found.user,
        # Else every start would open the modes of files that their server wants closed.
        "fsGroupChangePolicy": "OnRootMismatch",
        **profile,
    }


def profile_of(service: Service) -> str:
    """The strictest Pod Security profile that the service's pods fit."""
    said, caps = options(service), capabilities(service)
    add = set(caps.get("add", ()))
    labels = said.labels or {}
    unconfined = {"type": "Unconfined"}
    if (
        not add <= _BASELINE_ADDS
        or passthrough.is_on_the_node(service)
        or unconfined in (said.seccomp, said.apparmor)
        or not {labels.get("type", "container_t")} <= _BASELINE_LABELS
        or labels.keys() & {"user", "role"}
    ):
        return "privileged"
    if (
        is_root(service)
        or said.escalation is not False
        or "ALL" not in caps.get("drop", ())
        or not add <= _RESTRICTED_ADDS
    ):
        return "baseline"
    return "restricted"


def least(profiles: Iterator[str]) -> str:
    """The profile that all of them fit."""
    return max(profiles, key=PROFILES.index, default=PROFILES[0])


def published_ports(service: Service) -> Iterator[tuple[int, str]]:
    """The container's ports that are published, with their protocols."""
    for entry in service.ports:
        published = parse_port(entry)
        for number in published.target:
            yield number, published.protocol
