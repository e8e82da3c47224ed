"""Short syntaxes of a Compose document, as compose-go reads them: devices, mounts and ports.

Ports are those of docker/go-connections.
"""

from __future__ import annotations

import ipaddress
import posixpath
import re
from typing import Any

from msctl.render.canonical.values import wrong

_PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?", re.ASCII)
_WINDOWS_PATH = re.compile(r".:[\\/]|[\\/]{2}")
_PROPAGATIONS = ("rprivate", "private", "rshared", "shared", "rslave", "slave")


def short_device(text: str, at: str) -> dict[str, str]:
    parts = text.split(":")
    if len(parts) > 3:
        raise wrong(text, "source:target:permissions", at)
    source, target, permissions = (*parts, *("", "", "rwm")[len(parts) :])
    return {"source": source, "target": target or source, "permissions": permissions}


def short_mount(text: str, at: str) -> dict[str, Any]:
    """`[source:]target[:options]`; one letter before a colon is a Windows drive, as in Compose."""
    if "${" in text:
        raise wrong(text, "a volume without variables", at)
    if len(text.encode()) < 3:
        return {"type": "volume", "target": clean_path(text)}
    parts = [""]
    for character in text:
        if character == ":" and not (len(parts[-1]) == 1 and parts[-1].isalpha()):
            parts.append("")
        else:
            parts[-1] += character
    if not all(parts) or len(parts) > 3:
        raise wrong(text, "source:target:options", at)
    source, target = parts[:2] if len(parts) > 1 else ("", parts[0])
    is_path = source.startswith((".", "/", "~", "\\\\")) or source[1:2] == ":"
    mount: dict[str, Any] = {"type": "bind" if is_path else "volume", "target": clean_path(target)}
    mount |= {"source": source} if source else {}
    mount |= {"bind" if is_path else "volume": {}}
    for option in parts[2].split(",") if len(parts) == 3 else ():
        if option in {"ro", "rw"}:
            mount["read_only"] = option == "ro"
        elif option == "nocopy":
            mount["volume"] = {"nocopy": True}
        elif option in {"z", "Z", *_PROPAGATIONS}:
            key = "selinux" if option in {"z", "Z"} else "propagation"
            mount["bind"] = {**mount.get("bind", {}), key: option}
    return mount


def short_ports(text: str, at: str) -> list[dict[str, Any]]:
    """`[address:][published:]target[/protocol]`; a range of targets becomes one entry for each."""
    *before, target = text.split(":")
    published = before.pop() if before else ""
    address = ":".join(before)
    address = address[1:-1] if re.fullmatch(r"\[.+\]", address) else address
    numbers, _, protocol = target.partition("/")
    first, last = _range(numbers, text, at)
    first_published, last_published = _range(published, text, at) if published else (0, 0)
    if address and not _is_address(address):
        raise wrong(text, "a port of an IP address", at)
    common = {"host_ip": address} if address else {}
    common |= {"mode": "ingress", "protocol": protocol.lower() or "tcp"}
    if common["protocol"] not in {"tcp", "udp", "sctp"}:
        raise wrong(text, "a port of tcp, udp or sctp", at)
    if not published:
        ports = dict.fromkeys(range(first, last + 1), common)
    elif first == last and first_published < last_published:
        ports = {first: {**common, "published": f"{first_published}-{last_published}"}}
    elif last - first == last_published - first_published:
        shift = first_published - first
        ports = {n: {**common, "published": str(n + shift)} for n in range(first, last + 1)}
    else:
        raise wrong(text, "two ranges of one length", at)
    return [{**ports[n], "target": n} for n in sorted(ports, key=lambda n: f"{n}/")]


def _range(text: str, port: str, at: str) -> tuple[int, int]:
    numbers = _PORTS.fullmatch(text)
    if not numbers or not int(numbers[1]) <= int(numbers[2] or numbers[1]) < 65536:
        raise wrong(port, "a port such as 127.0.0.1:8080:80/tcp", at)
    return int(numbers[1]), int(numbers[2] or numbers[1])


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_windows_path(path: str) -> bool:
    return _WINDOWS_PATH.match(path) is not None


def clean_path(path: str) -> str:
    path = posixpath.normpath(path)
    return path[1:] if path.startswith("//") else path
