"""How a container runs on its host: a service → the engine's `HostConfig`.

Source: Docker Engine API 1.41, `POST /containers/create`; the translation follows Docker Compose's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msctl.engines.compose.body.mounts import mounts
from msctl.engines.compose.revision import Revision
from msctl.fields import parse_size

_PLAIN = {
    "cap_add": "CapAdd", "cap_drop": "CapDrop", "cgroup": "CgroupnsMode",
    "cgroup_parent": "CgroupParent", "cpu_period": "CpuPeriod", "cpu_quota": "CpuQuota",
    "cpu_rt_period": "CpuRealtimePeriod", "cpu_rt_runtime": "CpuRealtimeRuntime",
    "cpu_shares": "CpuShares", "cpuset": "CpusetCpus", "device_cgroup_rules": "DeviceCgroupRules",
    "dns": "Dns", "dns_opt": "DnsOptions", "dns_search": "DnsSearch", "group_add": "GroupAdd",
    "init": "Init", "ipc": "IpcMode", "isolation": "Isolation",
    "oom_kill_disable": "OomKillDisable", "oom_score_adj": "OomScoreAdj", "pid": "PidMode",
    "pids_limit": "PidsLimit", "privileged": "Privileged", "read_only": "ReadonlyRootfs",
    "runtime": "Runtime", "storage_opt": "StorageOpt", "sysctls": "Sysctls",
    "userns_mode": "UsernsMode", "uts": "UTSMode",
}  # fmt: skip
"""Keys whose values the engine takes as they are."""
_SIZES = {
    "mem_limit": "Memory", "mem_reservation": "MemoryReservation", "shm_size": "ShmSize",
}  # fmt: skip
KEYS = {
    *_PLAIN, *_SIZES,
    "annotations", "cpus", "deploy", "devices", "extra_hosts", "gpus", "logging",
    "mem_swappiness", "memswap_limit", "ports", "restart", "secrets", "security_opt", "tmpfs",
    "ulimits", "volumes",
}  # fmt: skip
"""Keys of a service that are seen to here."""
_UNLIMITED = "-1"


def host_config(
    service: Mapping[str, Any], revision: Revision, api: tuple[int, int]
) -> dict[str, Any]:
    """The settings that a service in normalised form stands for, for an engine of this API.

    Raises:
        UsageProblem: a mount needs a newer one.
    """
    config: dict[str, Any] = {
        "PortBindings": _port_bindings(service),
        "RestartPolicy": _restart_policy(service),
        "LogConfig": _log_config(service),
        "SecurityOpt": [_security(option) for option in service.get("security_opt") or ()],
        "ExtraHosts": [entry.replace("=", ":", 1) for entry in service.get("extra_hosts") or ()],
        **{field: service[key] for key, field in _PLAIN.items() if key in service},
        **{field: parse_size(service[key]) for key, field in _SIZES.items() if key in service},
        **mounts(service, revision, api),
        **_limits(service),
        **_devices(service),
    }
    if "annotations" in service:
        config["Annotations"] = service["annotations"]
    if "tmpfs" in service:
        config["Tmpfs"] = dict(_split(entry) for entry in service["tmpfs"])
    if "ulimits" in service:
        config["Ulimits"] = [
            {"Name": name, "Soft": limit, "Hard": limit}
            if isinstance(limit, int)
            else {"Name": name, "Soft": limit["soft"], "Hard": limit["hard"]}
            for name, limit in service["ulimits"].items()
        ]
    return config


def _security(option: str) -> str:
    """With `=` behind its name: engines take `:` too, but call it deprecated in their logs."""
    name, colon, value = option.partition(":")
    return f"{name}={value}" if colon and "=" not in name else option


def _split(entry: str) -> tuple[str, str]:
    path, _, options = entry.partition(":")
    return path, options


def _port_bindings(service: Mapping[str, Any]) -> dict[str, list[dict[str, str]]]:
    bindings: dict[str, list[dict[str, str]]] = {}
    for port in service.get("ports") or ():
        bindings.setdefault(f"{port['target']}/{port['protocol']}", []).append(
            {"HostIp": port.get("host_ip") or "", "HostPort": str(port.get("published") or "")}
        )
    return bindings


def _restart_policy(service: Mapping[str, Any]) -> dict[str, Any]:
    """`restart`, else `deploy.restart_policy`, as Docker Compose reads them."""
    if restart := service.get("restart"):
        name, _, attempts = restart.partition(":")
        return {"Name": name, "MaximumRetryCount": int(attempts or 0)}
    policy = (service.get("deploy") or {}).get("restart_policy")
    if not policy:
        return {"Name": "no", "MaximumRetryCount": 0}
    names = {"none": "no", "on-failure": "on-failure", "any": "always"}
    condition = policy.get("condition") or "any"
    return {
        "Name": names.get(condition, condition),
        "MaximumRetryCount": int(policy.get("max_attempts") or 0),
    }


def _log_config(service: Mapping[str, Any]) -> dict[str, Any]:
    logging = service.get("logging") or {}
    return {"Type": logging.get("driver") or "", "Config": logging.get("options") or {}}


def _limits(service: Mapping[str, Any]) -> dict[str, Any]:
    resources = (service.get("deploy") or {}).get("resources") or {}
    limits, reserved = resources.get("limits") or {}, resources.get("reservations") or {}
    found: dict[str, Any] = {}
    if cpus := limits.get("cpus") or service.get("cpus"):
        found["NanoCpus"] = round(float(cpus) * 1e9)
    if memory := limits.get("memory"):
        found["Memory"] = parse_size(memory)
    if memory := reserved.get("memory"):
        found["MemoryReservation"] = parse_size(memory)
    if pids := limits.get("pids"):
        found["PidsLimit"] = int(pids)
    if (swap := service.get("memswap_limit")) is not None:
        found["MemorySwap"] = -1 if str(swap) == _UNLIMITED else parse_size(swap)
    if (swappiness := service.get("mem_swappiness")) is not None:
        found["MemorySwappiness"] = int(swappiness)
    return found


def _devices(service: Mapping[str, Any]) -> dict[str, Any]:
    config: dict[str, Any] = {}
    if devices := service.get("devices"):
        config["Devices"] = [_device(device) for device in devices]
    if requests := [*(service.get("gpus") or ()), *_reserved(service)]:
        config["DeviceRequests"] = [_request(request) for request in requests]
    return config


def _device(device: Mapping[str, Any]) -> dict[str, str]:
    return {
        "PathOnHost": device["source"],
        "PathInContainer": device.get("target") or device["source"],
        "CgroupPermissions": device.get("permissions") or "rwm",
    }


def _reserved(service: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    resources = (service.get("deploy") or {}).get("resources") or {}
    return list((resources.get("reservations") or {}).get("devices") or ())


def _request(request: Mapping[str, Any]) -> dict[str, Any]:
    """`gpus` ask for GPUs without saying so."""
    capabilities = list(request.get("capabilities") or ())
    return {
        "Driver": request.get("driver") or "",
        "Count": request.get("count") or 0,
        "DeviceIDs": list(request.get("device_ids") or ()),
        "Capabilities": [capabilities or ["gpu"]],
        "Options": request.get("options") or {},
    }
