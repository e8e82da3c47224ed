"""What lets a service out of its container is told of, with what to do about it."""

from __future__ import annotations

from typing import Any

import pytest

from msctl.doctor.privileges import SOCKETS, privileges
from msctl.model import Stack

LINKS = {"/srv/shop/sock": "/run/docker.sock", "/srv/shop/up": "/srv", "/var/run": "/run"}


def told(web: dict[str, Any], **gateway: Any) -> list[tuple[str, str]]:
    """Path and message of each, for a service in /srv/shop; the engine listens at /run/user/7."""
    services = {"web": {"image": "web", "port": 80, "routes": ["/"], **web}}
    stack = Stack.read({"name": "shop", "services": services, "gateway": gateway})
    sockets = {*SOCKETS, "/run/user/7/docker.sock"}
    found = list(privileges(stack, "/srv/shop", sockets, lambda path: LINKS.get(path, path)))
    assert all(one.hint for one in found)
    return [(".".join(map(str, one.path)), one.message) for one in found]


@pytest.mark.parametrize(
    "source",
    [
        "/var/run/docker.sock", "/run/docker.sock", "/run/user/7/docker.sock", "/run/user/7",
        "/run/./docker.sock", "../../run/docker.sock", "./sock", "/var/run", "/run", "/",
    ],
)  # fmt: skip
@pytest.mark.parametrize("long", [False, True])
def test_the_engines_socket_is_told_of(source: str, long: bool) -> None:
    """By whatever way it is mounted: read-only, by a link, by a folder around it."""
    entry: Any = f"{source}:/x:ro"
    if long:
        entry = {"type": "bind", "source": source, "target": "/x", "read_only": True}
    [(path, message)] = told({"volumes": ["data:/d", entry]})
    assert path == "services.web.volumes.1"
    assert "web has the engine's socket: whoever breaks into it is root" in message


@pytest.mark.parametrize("source", [".", "./", "..", "/srv", "./.msctl", "./.msctl/tls", "./up"])
def test_the_stacks_own_secrets_are_told_of(source: str) -> None:
    """Mounted by a folder around them: those of all services, and the authority's key."""
    [(_, message)] = told({"volumes": [f"{source}:/x:ro"]})
    expected = source == "./.msctl/tls"
    assert expected or "the stack's secrets" in message


@pytest.mark.parametrize(
    ("mount", "does"),
    [
        ("/etc:/x", "can change /etc"), ("/etc:/x:ro", "can read /etc"), ("/root:/x:ro", "read"),
        ("/dev:/x", "can change /dev"), ("/proc:/x", "can change /proc"), ("/usr:/x", "can change"),
        ("/etc/shadow:/x:ro", "can read /etc/shadow"), ("/proc:/x:ro", None), ("/sys:/x:ro", None),
        ("/etc/localtime:/x:ro", None), ("./data:/x", None), ("/srv/data:/x", None),
        ("data:/x", None), ("/x", None), ("../shop.d:/x", None),
        ("./.msctl/tls/ca.pem:/x:ro", None),
    ],
)  # fmt: skip
def test_whole_folders_of_the_machine_are_told_of(mount: str, does: str | None) -> None:
    """Not what a service may well need of them."""
    messages = [message for _, message in told({"volumes": [mount]})]
    assert (len(messages) == 1 and does in messages[0]) if does else not messages


@pytest.mark.parametrize(
    ("web", "path"),
    [
        ({"x-compose": {"privileged": True}}, "x-compose.privileged"),
        ({"x-compose": {"privileged": "yes"}}, "x-compose.privileged"),
        ({"x-compose": {"pid": "host"}}, "x-compose.pid"),
        ({"x-compose": {"ipc": "host"}}, "x-compose.ipc"),
        ({"x-compose": {"userns_mode": "host"}}, "x-compose.userns_mode"),
        ({"x-compose": {"devices": ["/dev/sda:/dev/sda"]}}, "x-compose.devices.0"),
        ({"x-compose": {"devices": [{"source": "/dev/dri"}]}}, "x-compose.devices.0"),
        ({"x-compose": {"device_cgroup_rules": ["b *:* rwm"]}}, "x-compose.device_cgroup_rules.0"),
        ({"cap_add": ["NET_RAW", "SYS_ADMIN"]}, "cap_add.1"),
        ({"cap_add": ["all"]}, "cap_add.0"),
        ({"cap_add": ["CAP_SYS_PTRACE"]}, "cap_add.0"),
        ({"security_opt": ["no-new-privileges:true", "seccomp=unconfined"]}, "security_opt.1"),
        ({"security_opt": ["apparmor:unconfined"]}, "security_opt.0"),
        ({"security_opt": ["label=disable"]}, "security_opt.0"),
        ({"security_opt": ["seccomp=./profile.json"]}, None),
        ({"cap_add": ["NET_RAW"], "cap_drop": []}, None),
        ({"x-compose": {"privileged": False, "pid": "", "shm_size": "1g"}}, None),
    ],
)
def test_what_weakens_a_container_is_told_of(web: dict[str, Any], path: str | None) -> None:
    """By the key that does it."""
    assert [one for one, _ in told(web)] == ([f"services.web.{path}"] if path else [])


def test_the_gateways_are_told_of_too() -> None:
    """It is what everybody reaches."""
    found = told({}, socket_proxy="off", cap_add=["SYS_ADMIN"], security_opt=["seccomp:unconfined"])
    assert [path for path, _ in found] == [
        "gateway.socket_proxy", "gateway.cap_add.0", "gateway.security_opt.0"
    ]  # fmt: skip
    assert told({}) == []
