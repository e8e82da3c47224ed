"""What `x-compose` says, on Kubernetes: what has a place in a pod, what ends it, and what is told.

Each key of `msctl.model.passthrough.SERVICE_KEYS` is one of these; a test sees to it. Pure.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from msctl.fields import shown
from msctl.model import Service
from msctl.render.canonical import canonical
from msctl.render.kubernetes.names import Data, filled, wrong_annotation
from msctl.render.kubernetes.quantities import size

CARRIED = frozenset(
    {
        "annotations", "dns_opt", "dns_search", "expose", "extra_hosts", "group_add", "healthcheck",
        "hostname", "init", "ipc", "pid", "platform", "privileged", "shm_size", "stdin_open",
        "sysctls", "tty", "working_dir",
    }
)  # fmt: skip
NO_MATTER = frozenset({"build"})
"""What is done before: no cluster builds an image."""
ENDS = {
    "devices": "a device of the node has no place in a pod",
    "gpus": "a GPU has no place in these pods",
    "deploy": "a device has no place in these pods",
}
"""Without what the container does not work."""
TOLD = {
    "cgroup": "",
    "cgroup_parent": "",
    "cpu_period": "resources.cpus is the limit",
    "cpu_quota": "resources.cpus is the limit",
    "cpu_rt_period": "",
    "cpu_rt_runtime": "",
    "cpu_shares": "resources.reserve.cpus is the share",
    "cpuset": "a kubelet with a static CPU manager gives whole processors",
    "device_cgroup_rules": "",
    "dns": "the cluster's own DNS asks whom it is set to ask",
    "domainname": "",
    "isolation": "",
    "mac_address": "",
    "mem_swappiness": "the nodes decide about swap",
    "memswap_limit": "the nodes decide about swap",
    "networks": "a service has its own name alone, and each pod an address of the cluster's",
    "oom_kill_disable": "",
    "oom_score_adj": "the kubelet sets it by resources",
    "runtime": "",
    "stop_signal": "the image's own STOPSIGNAL holds",
    "storage_opt": "",
    "ulimits": "the nodes' container runtime sets them",
    "userns_mode": "",
    "uts": "",
}
"""What is done without, and what is there instead."""
_SAFE_SYSCTLS = {
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
}  # fmt: skip
"""Which the baseline profile allows, and every kubelet."""
_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
SHM = "/dev/shm"
Found = Iterator[tuple[tuple[str | int, ...], str]]


def said(service: Service) -> Mapping[str, Any]:
    """What `x-compose` says, in the one form that Docker Compose brings it to."""
    given = {k: v for k, v in service.passthrough.items() if k not in ("build", "networks")}
    if not given:
        return {}
    document = {"services": {"s": {"image": "i", **given}}}
    found: dict[str, Any] = canonical(document, working_dir="/", project="p", home="/")["services"]
    return {key: value for key, value in found["s"].items() if key in given}


def of_container(service: Service) -> Data:
    """Fields of the container."""
    given = said(service)
    return filled(
        {
            "workingDir": given.get("working_dir"),
            "stdin": given.get("stdin_open") or None,
            "tty": given.get("tty") or None,
        }
    )


def of_pod(service: Service) -> Data:
    """Fields of the pod."""
    given = said(service)
    system, _, rest = (given.get("platform") or "").partition("/")
    machine = {"kubernetes.io/os": system, "kubernetes.io/arch": rest.partition("/")[0]}
    options = [option.partition(":") for option in given.get("dns_opt") or ()]
    return filled(
        {
            "hostname": given.get("hostname"),
            # The pod's own first process reaps what ends, as the one of `init` does.
            "shareProcessNamespace": given.get("init") or None,
            "hostPID": given.get("pid") == "host" or None,
            "hostIPC": given.get("ipc") == "host" or None,
            "nodeSelector": filled(machine),
            "hostAliases": [
                {"ip": address, "hostnames": names} for address, names in _hosts(given).items()
            ],
            "dnsConfig": filled(
                {
                    "searches": given.get("dns_search"),
                    "options": [filled({"name": name, "value": v}) for name, _, v in options],
                }
            ),
        }
    )


def _hosts(given: Mapping[str, Any]) -> dict[str, list[str]]:
    """The names of each address."""
    found: dict[str, list[str]] = {}
    for entry in given.get("extra_hosts") or ():
        name, _, address = entry.partition("=")
        found.setdefault(address, []).append(name)
    return found


def pod_annotations(service: Service) -> dict[str, str]:
    return {name: str(value) for name, value in (said(service).get("annotations") or {}).items()}


def groups(service: Service) -> list[int]:
    """Groups that a container's processes are in besides their own."""
    return [int(group) for group in said(service).get("group_add") or () if group.isdecimal()]


def sysctls(service: Service) -> dict[str, str]:
    return {name: str(value) for name, value in (said(service).get("sysctls") or {}).items()}


def is_privileged(service: Service) -> bool:
    return said(service).get("privileged") is True


def is_on_the_node(service: Service) -> bool:
    """Whether only the widest profile lets it in."""
    given = said(service)
    shares = "host" in (given.get("pid"), given.get("ipc"))
    return is_privileged(service) or shares or bool(unsafe_sysctls(service))


def unsafe_sysctls(service: Service) -> list[str]:
    return [name for name in sysctls(service) if name not in _SAFE_SYSCTLS]


def exposed(service: Service) -> Iterator[tuple[int, str]]:
    """The ports that `expose` names, with their protocols."""
    for entry in said(service).get("expose") or ():
        ports, _, protocol = str(entry).partition("/")
        first, _, last = ports.partition("-")
        for number in range(int(first), int(last or first) + 1):
            yield number, protocol or "tcp"


def shared_memory(service: Service) -> Data | None:
    """The volume at /dev/shm, where the file says how large it is."""
    given = said(service)
    amount = given.get("shm_size")
    if amount is None or given.get("ipc") == "host":
        return None
    return {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": size(int(amount))}}


def start_interval(service: Service) -> str | None:
    """How often the health of a container that starts is asked for, as a duration."""
    found: str | None = (said(service).get("healthcheck") or {}).get("start_interval")
    return found


def problems(service: Service) -> Found:
    """What no pod can be given."""
    given = said(service)
    for key, why in ENDS.items():
        if given.get(key):
            yield (
                ("x-compose", key),
                f"{why}; remove it, or keep another stack file without",
            )
    for group in given.get("group_add") or ():
        if not group.isdecimal():
            yield (
                ("x-compose", "group_add"),
                f"{shown(group)} is no number, and no node looks names up in an image; write "
                "the group's number",
            )
    for address, names in _hosts(given).items():
        try:
            ipaddress.ip_address(address)
        except ValueError:
            yield (
                ("x-compose", "extra_hosts"),
                f"{', '.join(names)}: {shown(address)} is no address; on Kubernetes a name stands "
                "for an address, or for nothing",
            )
    for name in pod_annotations(service):
        if (wrong := wrong_annotation(name)) is not None:
            yield ("x-compose", "annotations", name), wrong
    host: str | None = given.get("hostname")
    if host is not None and not _HOST_NAME.fullmatch(host):
        yield (
            ("x-compose", "hostname"),
            f"{shown(host)} is no name of a pod; write lower-case letters, digits and -, 63 at "
            "the most",
        )


def notes(service: Service) -> Iterator[str]:
    """What is otherwise than on an engine, one sentence each."""
    for key in service.passthrough:
        if key in TOLD:
            instead = f"; {TOLD[key]}" if TOLD[key] else ""
            yield f"x-compose.{key} has no counterpart in a pod{instead}"
    if names := unsafe_sysctls(service):
        yield (
            f"{', '.join(names)}: the kubelets have to allow it (allowedUnsafeSysctls), else no "
            "pod starts"
        )
