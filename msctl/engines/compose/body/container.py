"""A revision → the body of the engine API's call that creates a container.

Source: Docker Engine API 1.41 and newer, `POST /containers/create`; the translation follows
Docker Compose's, so that both make the same container.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from msctl.engines.compose import labels
from msctl.engines.compose.body import hostconfig
from msctl.engines.compose.revision import Revision
from msctl.fields import parse_duration

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
_TRANSLATED = {
    "command", "entrypoint", "environment", "expose", "healthcheck", "image", "labels", "ports",
    "stop_grace_period",
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
    known = _ELSEWHERE | _TRANSLATED | _PLAIN.keys() | hostconfig.KEYS
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
        "HostConfig": hostconfig.host_config(service, revision, api),
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
