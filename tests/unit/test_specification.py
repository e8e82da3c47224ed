"""`msctl import` and every key that the Compose Specification has."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from specification import NAME, SCHEMA, Path, places
from taking import loaded, taken

WITHOUT_MEANING: dict[tuple[str | int, ...], str] = {
    ("version",): "obsolete: Docker Compose takes no notice of it",
    ("services", NAME, "attach"): "what `docker compose up` shows",
    ("services", NAME, "env_file", 0, "required"): "the sample is what holds without it",
    ("services", NAME, "depends_on", "other", "required"): "the sample is what holds without it",
}
VALUES: dict[Path, Any] = {
    ("cap_add",): ["NET_RAW"],
    ("cap_drop",): ["MKNOD"],
    ("depends_on", NAME, "restart"): True,
    ("extra_hosts",): ["a=192.0.2.1"],
    ("limits", "memory"): "64M",
    ("mem_limit",): "64M",
    ("ports", 0, "host_ip"): "127.0.0.1",
    ("ports", 0, "mode"): "host",
    ("ports", 0, "protocol"): "udp",
    ("restart",): "always",
    ("restart_policy", "condition"): "on-failure",
    ("security_opt",): ["no-new-privileges:true"],
    ("stop_grace_period",): "3s",
    ("test",): ["CMD", "true"],
    ("tmpfs",): ["/run"],
    ("update_config", "monitor"): "3s",
}
"""What samples cannot be, where msctl looks at them, by the end of their place."""
USES = {
    "image": "i",
    "networks": [NAME],
    "secrets": [NAME],
    "configs": [NAME],
    "volumes": [f"{NAME}:/data"],
}
ROUTED = {
    "image": "i",
    "labels": {
        "traefik.http.routers.r.rule": "PathPrefix(`/`)",
        "traefik.http.services.r.loadbalancer.server.port": "80",
    },
}
KEYS = dict(places(SCHEMA))
"""The last sample of a place stands for all."""


def whole(found: dict[str, Any]) -> dict[str, Any]:
    """A file with what the key needs around it: a service that is another one, and one that uses
    whatever is defined."""
    services = found.setdefault("services", {})
    service = services.setdefault(NAME, {}) if isinstance(services, dict) else {}
    if isinstance(service, dict):
        service.setdefault("image", "i")
        for port in service.get("ports") or ():
            if isinstance(port, dict):
                port.setdefault("target", 80)
        for device in service.get("devices") or ():
            if isinstance(device, dict):  # Docker Compose refuses one without
                device.setdefault("source", "/dev/a")
                device.setdefault("target", "/dev/b")
        if isinstance(service.get("depends_on"), dict):
            service["depends_on"] = {"other": service["depends_on"][NAME]}
    services["other"] = {**USES, "image": "o"}
    for section in ("secrets", "configs"):
        found.setdefault(section, {}).setdefault(NAME, {"file": "./f"})
    return found


def sample(path: Path) -> tuple[dict[str, Any], Path]:
    """The smallest file with a key, and where its value is, which msctl may look at."""
    found = copy.deepcopy(KEYS[path])
    here: Any = found
    for at, part in enumerate(path, 1):
        ends = [end for end in VALUES if path[:at][-len(end) :] == end]
        if ends and len(path[:at]) > 2:
            here[part] = copy.deepcopy(VALUES[max(ends, key=len)])
            return found, path[:at]
        here = here[part]
    return found, path


def without(found: Any, path: Path) -> Any:
    """The same file without the key; a list is one item shorter."""
    less = copy.deepcopy(found)
    here = less
    for part in path[:-1]:
        here = here[part]
    del here[path[-1]]
    return less


def is_told_as_a_whole(path: Path) -> bool:
    """What has keys of its own, of which none is carried."""
    return (path[0] == "jobs" and len(path) > 2) or ("pre_start" in path and len(path) > 3)


@pytest.mark.parametrize(
    "path",
    [path for path in KEYS if not is_told_as_a_whole(path)],
    ids=lambda path: ".".join(map(str, path)),
)
def test_no_key_is_dropped_silently(path: Path) -> None:
    """The stack file is another one than without it, or it is named with its line; and the stack
    file is right."""
    having, cut = sample(path)
    lacking = without(having, cut)
    found = taken(yaml.safe_dump(whole(having), sort_keys=False))
    less = taken(yaml.safe_dump(whole(lacking), sort_keys=False))
    place = tuple("other" if part == NAME and "depends_on" in path[:i] else part
                  for i, part in enumerate(path))  # fmt: skip
    named = any(place[: len(note.path)] == note.path for note in found.notes)
    carried = (found.data, found.files) != (less.data, less.files)
    if place in WITHOUT_MEANING:
        return
    assert named or carried or found.notes != less.notes
    if found.data["services"] and path[0] != "name":
        loaded(found)


@pytest.mark.parametrize(
    "key", sorted({str(path[2]) for path in KEYS if path[:2] == ("services", NAME)} - {"image"})
)
def test_no_key_of_the_gateway_is_dropped_silently(key: str) -> None:
    """The Traefik of a file becomes `gateway`, which has few keys."""
    path = next(path for path in KEYS if path[:3] == ("services", NAME, key))
    having, _ = sample(path)
    lacking = without(having, path[:3])
    files = []
    for one in (having, lacking):
        services = whole(one)["services"]
        services["app"] = ROUTED
        services[NAME]["image"] = "traefik:v3.7"
        files.append(taken(yaml.safe_dump(one, sort_keys=False)))
    found, less = files
    assert (found.data, found.notes) != (less.data, less.notes)
