"""What the stack file gives services of the machine that lets them out of their containers: told by
`msctl doctor`, since it may be meant so. Pure."""

from __future__ import annotations

import fnmatch
import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from msctl.fields.mounts import parse_mount
from msctl.frozen import dataclass
from msctl.model import GATEWAY, Gateway, Service, Stack

SOCKETS = (
    "/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock",
    "/run/podman/podman.sock", "/run/crio/crio.sock",
)  # fmt: skip
"""Where engines listen."""
MACHINE = (
    "/", "/boot", "/dev", "/etc", "/etc/shadow", "/etc/ssh", "/etc/sudoers.d", "/home", "/lib",
    "/proc", "/root", "/sys", "/usr", "/var", "/var/lib", "/var/lib/docker",
)  # fmt: skip
"""What nobody needs whole but who administers the machine."""
_TOLD = ("/proc", "/sys", "/lib", "/usr")
"""Of these, reading gives nobody more; they are mounted so to be measured."""
CAPABILITIES = {
    "ALL": "can do everything on the machine",
    "SYS_ADMIN": "can mount the machine's disks, and get out of its container",
    "SYS_MODULE": "can load modules into the kernel",
    "SYS_PTRACE": "can look into other processes that it sees",
    "SYS_RAWIO": "can write to the machine's memory and ports",
    "SYS_BOOT": "can restart the machine",
    "DAC_READ_SEARCH": "can read every file of the machine by its handle",
    "BPF": "can run programs in the kernel",
}
_UNCONFINED = (
    "seccomp*unconfined",
    "apparmor*unconfined",
    "label*disable",
    "systempaths*unconfined",
)
_HOST = {
    "pid": "sees every process of the machine, with its environment",
    "ipc": "shares the memory of processes of the machine",
    "uts": "can change the machine's name",
    "cgroup": "sees the machine's control groups",
    "userns_mode": "has the numbers of the machine's users: its root is root there",
}
_ROOT = "whoever breaks into it is root on this machine"
_DISKS = ("/dev", "/dev/sd*", "/dev/nvme*", "/dev/vd*", "/dev/xvd*", "/dev/mapper*", "/dev/dm-*",
          "/dev/mem", "/dev/kmem", "/dev/port")  # fmt: skip


@dataclass(frozen=True)
class Privilege:
    """One of them: where it is in the stack file, what comes of it, and what to do."""

    path: tuple[str | int, ...]
    message: str
    hint: str


def privileges(
    stack: Stack, folder: str, sockets: Collection[str], real: Callable[[str], str]
) -> Iterator[Privilege]:
    """In the order of the file. `folder` is the stack file's, `sockets` where engines listen, and
    `real` leads from a path to what links on the way make of it."""
    if stack.routed:
        yield from _of_gateway(stack.gateway)
    for name, service in stack.services.items():
        at = ("services", name)
        for index, entry in enumerate(service.volumes):
            if found := _mounted(name, entry, folder, sockets, real):
                yield Privilege((*at, "volumes", index), *found)
        yield from _confinement(name, at, service)
        yield from _passed(name, (*at, "x-compose"), service.passthrough)


def _of_gateway(gateway: Gateway) -> Iterator[Privilege]:
    if gateway.socket_proxy is None:
        yield Privilege(
            ("gateway", "socket_proxy"),
            f"the gateway has the engine's socket: {_ROOT}",
            "remove socket_proxy: the gateway then asks the engine by a proxy that only reads",
        )
    yield from _confinement(GATEWAY, ("gateway",), gateway)


def _mounted(
    name: str,
    entry: object,
    folder: str,
    sockets: Collection[str],
    real: Callable[[str], str],
) -> tuple[str, str] | None:
    mount = parse_mount(entry)
    if mount.kind != "bind" or mount.source is None:
        return None
    given = posixpath.normpath(posixpath.join(folder, mount.source))
    sources = {given, real(given)}
    if any(_holds(source, socket) for source in sources for socket in sockets):
        return (
            f"{name} has the engine's socket: {_ROOT}, read-only or not",
            "remove it; what only looks at containers can ask a proxy that lets GET through, such "
            "as tecnativa/docker-socket-proxy, on a network of their own",
        )
    secrets = posixpath.join(folder, ".msctl")
    both = {secrets, real(secrets)}
    public = posixpath.join("tls", "ca.pem")
    if any(
        _holds(source, path) or (_holds(path, source) and source != posixpath.join(path, public))
        for source in sources
        for path in both
    ):
        return (
            f"{name} has the stack's secrets or the key of its authority, in {secrets}",
            "mount only what it needs; to trust the authority: ./.msctl/tls/ca.pem",
        )
    whole = next((path for path in MACHINE if path in sources), None)
    if whole is None or (mount.read_only and whole in _TOLD):
        return None
    does = "can read" if mount.read_only else "can change"
    return f"{name} {does} {whole} of the machine", "mount only the folders that it needs, with :ro"


def _holds(folder: str, path: str) -> bool:
    """Whether a path is a folder, or in it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _confinement(name: str, at: tuple[str, ...], of: Service | Gateway) -> Iterator[Privilege]:
    for index, capability in enumerate(of.cap_add):
        if does := CAPABILITIES.get(capability.upper().removeprefix("CAP_")):
            hint = "name the capability that it needs" if capability == "ALL" else "remove it"
            yield Privilege((*at, "cap_add", index), f"{name} {does}", hint)
    for index, option in enumerate(of.security_opt):
        if any(fnmatch.fnmatchcase(option, pattern) for pattern in _UNCONFINED):
            yield Privilege(
                (*at, "security_opt", index),
                f"{name} may ask the kernel for more than other containers ({option})",
                "remove it, or name a profile that allows what it needs",
            )


def _passed(name: str, at: tuple[str, ...], passed: dict[str, Any]) -> Iterator[Privilege]:
    if str(passed.get("privileged")).lower() in ("true", "yes", "on", "y"):
        yield Privilege(
            (*at, "privileged"),
            f"{name} is privileged: {_ROOT}",
            "remove it; cap_add names single capabilities, x-compose.devices single devices",
        )
    for key, does in _HOST.items():
        if passed.get(key) == "host":
            yield Privilege((*at, key), f"{name} {does}", "remove it")
    for index, device in enumerate(_listed(passed.get("devices"))):
        path = str(device.get("source") if isinstance(device, dict) else device).partition(":")[0]
        disk = any(fnmatch.fnmatchcase(path, pattern) for pattern in _DISKS)
        does = "can write to a disk or the memory of the machine" if disk else "has a device of it"
        yield Privilege(
            (*at, "devices", index),
            f"{name} {does}: {path}",
            "mount a folder of it instead" if disk else "remove it, unless the service needs it",
        )
    for index, rule in enumerate(_listed(passed.get("device_cgroup_rules"))):
        yield Privilege(
            (*at, "device_cgroup_rules", index),
            f"{name} may use devices that it makes itself ({rule})",
            "name the devices that it needs in x-compose.devices",
        )


def _listed(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else []
