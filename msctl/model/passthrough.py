"""`x-compose`: what a Compose file says and the stack file has no key of its own for.

It goes into the rendered file as it is. Only what msctl makes on the engine may stand here, so that
nothing is ever ignored; `msctl import` writes it.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeAlias

from msctl.fields import holds_controls, shown, wrong
from msctl.records import Check, Schema
from msctl.spelling import did_you_mean

Keys: TypeAlias = Mapping[str, Any]
"""Which keys may stand in a mapping, each with those below it; None: whatever Compose allows."""
EVERY = "*"
"""A key of the user's own, such as the name of a network."""

SERVICE_KEYS: Keys = {
    **dict.fromkeys(
        (
            "annotations", "cgroup", "cgroup_parent", "cpu_period",
            "cpu_quota", "cpu_rt_period", "cpu_rt_runtime", "cpu_shares", "cpuset",
            "device_cgroup_rules", "devices", "dns", "dns_opt", "dns_search", "domainname",
            "expose", "extra_hosts", "gpus", "group_add", "hostname", "init", "ipc", "isolation",
            "mac_address", "mem_swappiness", "memswap_limit", "oom_kill_disable",
            "oom_score_adj", "pid", "platform", "privileged", "runtime",
            "shm_size", "stdin_open", "stop_signal", "storage_opt", "sysctls",
            "tty", "ulimits", "userns_mode", "uts", "working_dir",
        )
    ),
    "build": {"target": None},
    "deploy": {"resources": {"reservations": {"devices": None}}},
    "healthcheck": {"disable": None, "start_interval": None},
    "networks": {EVERY: {"aliases": None, "ipv4_address": None, "ipv6_address": None}},
}  # fmt: skip
"""What a service may pass on, beside what the stack file has keys for."""
STACK_KEYS: Keys = {
    "networks": {
        EVERY: dict.fromkeys(
            (
                "attachable", "driver", "driver_opts", "enable_ipv6", "external", "internal",
                "ipam", "labels", "name",
            )
        )
    },
    "volumes": {EVERY: dict.fromkeys(("driver", "driver_opts", "external", "labels", "name"))},
}  # fmt: skip
"""What a stack may say about its networks and volumes."""


def refused(value: Any, keys: Keys | None, at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths in a value that may not stand there."""
    if keys is None or value is None:
        return
    if not isinstance(value, dict):
        yield at
        return
    for key, inner in value.items():
        if key in keys or EVERY in keys:
            yield from refused(inner, keys.get(key, keys.get(EVERY)), (*at, key))
        else:
            yield (*at, key)


def unwritable(value: Any, lines: bool = False) -> Iterator[str]:
    """Texts that hold control characters; values of labels and annotations may have lines."""
    if isinstance(value, str) and holds_controls(value, lines=lines):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from unwritable(item, lines)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from unwritable(key)
            yield from unwritable(item, lines or key in ("labels", "annotations"))


def _checked(keys: Keys) -> Check:
    def check(value: object) -> object:
        if not isinstance(value, dict):
            wrong(f"{shown(value)} is not a mapping of Compose's keys to values")
        for path in refused(value, keys):
            name = shown(".".join(path))
            near = did_you_mean(path[0], list(keys)) if len(path) == 1 else ""
            wrong(f"{name} cannot be passed on to Docker Compose's file by msctl{near}")
        for text in unwritable(value):
            wrong(f"{shown(text)} holds a control character, such as a line break")
        return value

    return Check(check)


ServicePassthrough = Annotated[
    dict[str, Any],
    _checked(SERVICE_KEYS),
    Schema({"type": "object", "propertyNames": {"enum": sorted(SERVICE_KEYS)}}),
]
StackPassthrough = Annotated[
    dict[str, Any],
    _checked(STACK_KEYS),
    Schema({"type": "object", "propertyNames": {"enum": sorted(STACK_KEYS)}}),
]
