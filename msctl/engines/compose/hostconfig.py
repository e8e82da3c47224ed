"""Devices and kernel settings of a service → fields of the engine's `HostConfig`.

Source: Docker Engine API 1.41, `POST /containers/create`; the translation follows Docker Compose's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msctl.fields import parse_size

TRANSLATED = {
    "cpu_rt_period": "CpuRealtimePeriod", "cpu_rt_runtime": "CpuRealtimeRuntime",
    "device_cgroup_rules": "DeviceCgroupRules",
}  # fmt: skip
"""Keys whose values the engine takes as they are."""
KEYS = {*TRANSLATED, "devices", "gpus", "mem_swappiness", "memswap_limit"}
"""Keys of a service that are seen to here."""
_UNLIMITED = "-1"


def device_config(service: Mapping[str, Any]) -> dict[str, Any]:
    """The part of `HostConfig` that a service in normalised form stands for."""
    config = {field: service[key] for key, field in TRANSLATED.items() if key in service}
    if devices := service.get("devices"):
        config["Devices"] = [_device(device) for device in devices]
    if requests := [*(service.get("gpus") or ()), *_reserved(service)]:
        config["DeviceRequests"] = [_request(request) for request in requests]
    if (swap := service.get("memswap_limit")) is not None:
        config["MemorySwap"] = -1 if str(swap) == _UNLIMITED else parse_size(swap)
    if (swappiness := service.get("mem_swappiness")) is not None:
        config["MemorySwappiness"] = int(swappiness)
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


def ipam(settings: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Addresses of a network, as the engine is told them; None: it chooses itself."""
    if not settings:
        return None
    fields = {
        "subnet": "Subnet", "gateway": "Gateway", "ip_range": "IPRange",
        "aux_addresses": "AuxiliaryAddresses",
    }  # fmt: skip
    pools = settings.get("config") or ()
    return {
        "Driver": settings.get("driver") or "default",
        "Config": [{fields[key]: value for key, value in pool.items()} for pool in pools],
        "Options": settings.get("options") or {},
    }
