"""A revision → the body of the engine API's call that creates a container.

Source: Docker Engine API 1.41 and newer, `POST /containers/create`; the translation follows
Docker Compose's, so that both make the same container.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from msctl.engines.compose import hostconfig, labels
from msctl.engines.compose.mounts import mounts
from msctl.engines.compose.revision import Revision
from msctl.fields import parse_duration, parse_size

START_INTERVAL_API = (1, 44)
"""First API with a shorter health-check interval during the start (engine 25)."""

_ELSEWHERE = {
    # Told to the engine by other calls, or meant for Docker Compose alone.
    "build", "container_name", "depends_on", "networks", "platform", "profiles", "pull_policy",
    "scale", "attach",
}  # fmt: skip
_PLAIN = {
    "domainname": "Domainname", "hostname": "Hostname", "mac_address": "MacAddress",
    "stdin_open": "OpenStdin", "stop_signal": "StopSignal", "tty": "Tty", "user": "User",
    "working_dir": "WorkingDir",
}  # fmt: skip
_PLAIN_HOST = {
    "cap_add": "CapAdd", "cap_drop": "CapDrop", "cgroup": "CgroupnsMode",
    "cgroup_parent": "CgroupParent", "cpu_period": "CpuPeriod", "cpu_quota": "CpuQuota",
    "cpu_shares": "CpuShares", "cpuset": "CpusetCpus", "dns": "Dns", "dns_opt": "DnsOptions",
    "dns_search": "DnsSearch", "group_add": "GroupAdd", "init": "Init", "ipc": "IpcMode",
    "isolation": "Isolation", "oom_kill_disable": "OomKillDisable", "oom_score_adj": "OomScoreAdj",
    "pid": "PidMode", "pids_limit": "PidsLimit", "privileged": "Privileged",
    "read_only": "ReadonlyRootfs", "runtime": "Runtime",
    "storage_opt": "StorageOpt", "sysctls": "Sysctls", "userns_mode": "UsernsMode",
    "uts": "UTSMode",
}  # fmt: skip
_SIZES_HOST = {
    "mem_limit": "Memory", "mem_reservation": "MemoryReservation", "shm_size": "ShmSize",
}  # fmt: skip
_TRANSLATED = {
    "annotations", "command", "cpus", "deploy", "entrypoint", "environment", "expose",
    "extra_hosts", "healthcheck", "image", "labels", "logging", "ports", "restart", "secrets",
    "security_opt", "stop_grace_period", "tmpfs", "ulimits", "volumes",
}  # fmt: skip


def create_body(
    revision: Revision,
    *,
    own_labels: Mapping[str, str],
    health_timeout: timedelta,
    api: tuple[int, int],
) -> dict[str, Any]:
    """The body without networks.

    Raises:
        ValueError: the service has a key that msctl cannot translate.
        UsageProblem: it has one that this engine is too old for.
    """
    service = {key: value for key, value in revision.service.items() if value is not None}
    known = _ELSEWHERE | _TRANSLATED | _PLAIN.keys() | _PLAIN_HOST.keys() | _SIZES_HOST.keys()
    known |= hostconfig.KEYS
    if unknown := sorted(service.keys() - known):
        raise ValueError(f"service {revision.name}: cannot translate {', '.join(unknown)}")
    body: dict[str, Any] = {
        "Image": service["image"],
        "Cmd": service.get("command"),
        "Entrypoint": service.get("entrypoint"),
        "Env": [
            name if value is None else f"{name}={value}"
            for name, value in sorted((service.get("environment") or {}).items())
        ],
        "Labels": {**(service.get("labels") or {}), **own_labels},
        "AttachStdout": True,
        "AttachStderr": True,
        "ExposedPorts": _exposed_ports(service),
        **{field: service[key] for key, field in _PLAIN.items() if key in service},
        "HostConfig": _host_config(service, revision, api),
    }
    if "stop_grace_period" in service:
        body["StopTimeout"] = round(parse_duration(service["stop_grace_period"]).total_seconds())
    if "healthcheck" in service:
        body["Healthcheck"] = _health_check(service["healthcheck"], health_timeout, api)
    return body


def endpoints(revision: Revision, container: str) -> dict[str, dict[str, Any]]:
    """Endpoint settings by the engine's network name, the first network first."""
    wanted = revision.service.get("networks") or {}
    by_name = {revision.networks[key].get("name", key): wanted[key] or {} for key in wanted}
    return {
        name: _endpoint(by_name[name], [container, revision.name])
        for name in revision.network_names()
    }


def _endpoint(settings: Mapping[str, Any], aliases: list[str]) -> dict[str, Any]:
    endpoint: dict[str, Any] = {
        "Aliases": list(dict.fromkeys([*aliases, *(settings.get("aliases") or ())]))
    }
    addresses = {"ipv4_address": "IPv4Address", "ipv6_address": "IPv6Address"}
    ipam = {field: settings[key] for key, field in addresses.items() if settings.get(key)}
    if ipam:
        endpoint["IPAMConfig"] = ipam
    return endpoint


def _exposed_ports(service: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    ports = [f"{port['target']}/{port['protocol']}" for port in service.get("ports") or ()]
    exposed = [port if "/" in port else f"{port}/tcp" for port in service.get("expose") or ()]
    return {port: {} for port in [*ports, *exposed]}


def _host_config(
    service: Mapping[str, Any], revision: Revision, api: tuple[int, int]
) -> dict[str, Any]:
    config: dict[str, Any] = {
        "PortBindings": _port_bindings(service),
        "RestartPolicy": _restart_policy(service),
        "LogConfig": _log_config(service),
        "SecurityOpt": [_security(option) for option in service.get("security_opt") or ()],
        "ExtraHosts": [entry.replace("=", ":", 1) for entry in service.get("extra_hosts") or ()],
        **{field: service[key] for key, field in _PLAIN_HOST.items() if key in service},
        **{field: parse_size(service[key]) for key, field in _SIZES_HOST.items() if key in service},
        **mounts(service, revision, api),
        **_limits(service),
        **hostconfig.device_config(service),
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
    return found


def _nanoseconds(text: str) -> int:
    return parse_duration(text) // timedelta(microseconds=1) * 1000


def _health_check(
    check: Mapping[str, Any], health_timeout: timedelta, api: tuple[int, int]
) -> dict[str, Any]:
    """The check; where the engine can, paced faster while the container starts.

    The start is not paced by `interval` then: checks come every second until the first success,
    for as long as a new replica has to become healthy.
    """
    if check.get("disable"):
        return {"Test": ["NONE"]}
    fields = {
        "interval": "Interval", "timeout": "Timeout", "start_period": "StartPeriod",
        "start_interval": "StartInterval",
    }  # fmt: skip
    found: dict[str, Any] = {
        field: _nanoseconds(check[key]) for key, field in fields.items() if check.get(key)
    }
    if check.get("test"):
        found["Test"] = check["test"]
    if check.get("retries"):
        found["Retries"] = check["retries"]
    if api >= START_INTERVAL_API:
        wanted = health_timeout // timedelta(microseconds=1) * 1000
        found["StartPeriod"] = max(wanted, found.get("StartPeriod", 0))
        found.setdefault("StartInterval", 1_000_000_000)
    else:
        found.pop("StartInterval", None)
    return found


def compose_labels(
    revision: Revision,
    *,
    project: str,
    number: int,
    image_id: str,
    working_dir: str,
    config_file: str,
) -> dict[str, str]:
    """The labels that Docker Compose gives a container."""
    needs = revision.service.get("depends_on") or {}
    return {
        labels.PROJECT: project,
        labels.SERVICE: revision.name,
        labels.NUMBER: str(number),
        labels.HASH: revision.hash,
        labels.ONEOFF: "False",
        labels.IMAGE: image_id,
        labels.DEPENDS_ON: ",".join(
            f"{name}:{need['condition']}:{str(bool(need.get('restart'))).lower()}"
            for name, need in sorted(needs.items())
        ),
        labels.WORKING_DIR: working_dir,
        labels.CONFIG_FILES: config_file,
        labels.COMPOSE_VERSION: labels.COMPATIBLE_WITH,
    }
