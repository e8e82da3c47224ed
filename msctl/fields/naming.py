"""Names, paths, hosts, addresses, ports and image references."""

from __future__ import annotations

import ipaddress
import posixpath
import re
from typing import Annotated
from urllib.parse import unquote

from msctl.fields.checks import (
    check_text,
    is_raw,
    matching,
    no_controls,
    not_longer,
    schema_of,
    whole,
)
from msctl.records import Check, shown, wrong

_IMAGE = re.compile(
    r"(?:[a-zA-Z0-9][a-zA-Z0-9.-]*(?::[0-9]+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*"
    r"(?::[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)
LONGEST_NAME = 63
"""Characters of a label in the DNS: names of services are such labels."""
LONGEST_ROUTE = 1024
LONGEST_IMAGE = 512
LONGEST_PATH = 4096
"""As in Linux."""
NAME_RULE = r"[a-z0-9][a-z0-9_-]{0,62}"
_PATH = re.compile(r"/(?:[A-Za-z0-9._~!&'*+,;=:@/-]|%[0-9A-Fa-f]{2})*")
_ENCODED = re.compile(r"%..")
_KEPT_ENCODED = {f"%{ord(character):02X}" for character in ":/?#[]@!$&'()*+,;=%"}
"""Traefik (3.7) decodes all others before it compares; source: `pkg/server/router`, tried."""
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*")
_EMAIL = re.compile(rf"[A-Za-z0-9._%+-]{{1,64}}@{_LABEL}(?:\.{_LABEL})+", re.IGNORECASE)
_HEADER_VALUE = re.compile(r"[\x20-\x7e]{0,4096}")
_HTTP_URL = re.compile(
    r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~%/-]*)?"
)


def check_port(value: object) -> int:
    return whole(value, "a port (1-65535)", 1, 65535)


def _image(value: object, keep: bool) -> str:
    if is_raw(value, keep):
        return str(value)
    what = "an image reference (such as postgres:15 or registry:5000/team/app:1)"
    return matching(_IMAGE, what, LONGEST_IMAGE)(value)


def _publish(value: object) -> str | None:
    """`[HOST:]PORT` or off: normalised to `HOST:PORT`, `PORT` or None."""
    if value is False or value in ("off", "false", "no"):
        return None
    allowed = "a port to publish ([HOST:]PORT with PORT 1-65535, or off)"
    if isinstance(value, bool) or not isinstance(value, int | str):
        wrong(f"{shown(value)} is not {allowed}")
    text = value if isinstance(value, str) else check_text(value)
    host, colon, port = text.rpartition(":")
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        wrong(f"{shown(value)} is not {allowed}")
    if not colon:
        return str(int(port))
    host = "127.0.0.1" if host == "localhost" else host
    if not _is_address(host):
        wrong(f"{shown(value)} is not {allowed}; HOST is an IP address, an IPv6 one in [ ]")
    return f"{host}:{int(port)}"


def _is_address(text: str) -> bool:
    """Whether this is an IPv4 address, or an IPv6 address in brackets."""
    bracketed = text.startswith("[") and text.endswith("]")
    if "%" in text:  # a zone, which can be any text
        return False
    try:
        return ipaddress.ip_address(text.strip("[]")).version == (6 if bracketed else 4)
    except ValueError:
        return False


def _host_name(value: object) -> str:
    check = matching(_HOST, "a host name (such as www.example.org)")
    return check(value.lower() if isinstance(value, str) else value)


def is_http_url(text: str) -> bool:
    """Whether this is the address of an HTTP API: no user, query or fragment in it."""
    return _HTTP_URL.fullmatch(text) is not None and 0 < (_port_of(text) or 1) < 65536


def _port_of(url: str) -> int | None:
    found = re.search(r":([0-9]+)(?:/|$)", url)
    return int(found[1]) if found else None


def _http_url(value: object, keep: bool) -> str:
    if is_raw(value, keep):
        return str(value)
    if not isinstance(value, str) or not is_http_url(value):
        wrong(f"{shown(value)} is not a URL (such as http://127.0.0.1:9090)")
    not_longer(value, LONGEST_ROUTE)
    return value.rstrip("/")


def _address_range(value: object) -> str:
    """An IP address, or a range of them as `10.0.0.0/8`."""
    try:
        if not isinstance(value, str) or "%" in value:  # a zone, which can be any text
            raise ValueError("not text")
        return str(ipaddress.ip_network(value, strict=False))
    except ValueError:
        wrong(f"{shown(value)} is not an address or range (such as 192.0.2.7 or 10.0.0.0/8)")


def check_header_value(value: object) -> str:
    text = check_text(value)
    if not _HEADER_VALUE.fullmatch(text):
        wrong(f"{shown(text)} is not the value of a header (one line of ASCII characters)")
    return text


def _file_path(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        wrong(f"{shown(value)} is not the path of a file or folder")
    not_longer(value, LONGEST_PATH)
    return no_controls(value)


def unroutable(path: str) -> str | None:
    """Why no request ever matches a path, and what to write; None: requests do."""
    for encoded in _ENCODED.findall(path):
        if encoded not in _KEPT_ENCODED:
            plain = unquote(encoded)
            better = encoded.upper() if encoded.upper() in _KEPT_ENCODED else plain
            writable = _PATH.fullmatch(f"/{better}") is not None
            advice = f"write {better}" if writable else "route the path above it"
            return f"the gateway decodes {encoded} before it compares; {advice}"
    if "//" not in path and "/." not in path:
        return None
    steps = path.removesuffix("/").split("/")[1:]
    if any(step in ("", ".", "..") for step in steps):
        tidy = posixpath.normpath(path).replace("//", "/")
        return f"the gateway resolves //, /./ and /../ before it compares; write {tidy}"
    return None


_check_path = matching(_PATH, "a path (it starts with / and holds URL characters)", LONGEST_ROUTE)


def _route_path(value: object) -> str:
    path = _check_path(value)
    if reason := unroutable(path):
        wrong(f"{shown(path)} matches no request: {reason}")
    return path


FilePath = Annotated[str, Check(_file_path), schema_of(type="string")]
Port = Annotated[
    int,
    Check(check_port),
    schema_of(type=["integer", "string"], minimum=1, maximum=65535),
]
Image = Annotated[
    str, Check(_image, keeps=True), schema_of(type="string", examples=["postgres:15"])
]
Publish = Annotated[
    str | None,
    Check(_publish),
    schema_of(type=["integer", "string", "boolean"], examples=[80, "127.0.0.1:8080", "off"]),
]
check_name = matching(NAME_RULE, "a name (lower-case letters, digits, - and _; at most 63)")
Name = Annotated[str, Check(check_name), schema_of(type="string", pattern=f"^{NAME_RULE}$")]
check_project = matching(
    r"[a-z0-9][a-z0-9_-]*",
    "a project name (lower-case letters, digits, - and _, first a letter or digit)",
    LONGEST_NAME,
)
ProjectName = Annotated[
    str, Check(check_project), schema_of(type="string", pattern="^[a-z0-9][a-z0-9_-]*$")
]
UrlPath = Annotated[str, Check(_check_path), schema_of(type="string", pattern="^/")]
RoutePath = Annotated[str, Check(_route_path), schema_of(type="string", pattern="^/")]
HostName = Annotated[
    str,
    Check(_host_name),
    schema_of(type="string"),
]
HttpUrl = Annotated[
    str,
    Check(_http_url, keeps=True),
    schema_of(type="string", examples=["http://127.0.0.1:9090"]),
]
AddressRange = Annotated[
    str, Check(_address_range), schema_of(type="string", examples=["10.0.0.0/8"])
]
check_header_name = matching(r"[A-Za-z0-9-]{1,128}", "a header's name (letters, digits and -)")
HeaderValue = Annotated[str, Check(check_header_value), schema_of(type="string")]
Email = Annotated[
    str,
    Check(matching(_EMAIL, "an e-mail address")),
    schema_of(type="string", examples=["admin@example.org"]),
]
CookieName = Annotated[
    str,
    Check(matching(r"[A-Za-z0-9_.-]{1,128}", "a cookie name (letters, digits, _ . -)")),
    schema_of(type="string"),
]
