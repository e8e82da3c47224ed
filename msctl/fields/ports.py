"""Published ports, in Compose's short and long form.

Source: docker/go-connections `nat/parse.go`, and the Compose Specification's `ports`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass

from msctl.fields import shown

_FORM = "[[IP:]HOST_PORT:]PORT[/tcp|udp|sctp]"
_SPAN = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_PROTOCOLS = ("tcp", "udp", "sctp")
_LONG_KEYS = ("target", "published", "host_ip", "protocol", "mode", "name", "app_protocol")


@dataclass(frozen=True)
class PublishedPort:
    """Ports of a container, and where the host publishes them."""

    target: range
    """Ports in the container."""
    published: range | None = None
    """Ports of the host; None: the engine chooses a free one."""
    host_ip: str | None = None
    """Address of the host; None: all of them."""
    protocol: str = "tcp"

    @property
    def fixed(self) -> bool:
        """Whether one replica takes all the published ports, so that there can be no second.

        A range for a single container port is not fixed: each replica takes one of the range.
        """
        return self.published is not None and len(self.published) == len(self.target)

    @property
    def families(self) -> tuple[int, ...]:
        """The versions of IP that it is published on."""
        if self.host_ip is None:
            return (4, 6)
        return (ipaddress.ip_address(self.host_ip).version,)

    @property
    def everywhere(self) -> bool:
        """Whether it is published on all addresses of its families."""
        return self.host_ip in (None, "0.0.0.0", "::")

    def __str__(self) -> str:
        host = f"[{self.host_ip}]" if self.host_ip and ":" in self.host_ip else self.host_ip
        parts = [host or "", _show(self.published), _show(self.target)]
        text = ":".join(parts if host else [part for part in parts if part])
        return text if self.protocol == "tcp" else f"{text}/{self.protocol}"


def parse_port(value: object) -> PublishedPort:
    """An entry of `ports`: a number, `[[IP:]HOST_PORT:]PORT[/PROTOCOL]`, or the long form.

    Raises:
        ValueError: it is none of these; the message says why.
    """
    if isinstance(value, Mapping):
        return _long(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"{shown(value)} is not a published port ({_FORM})")
    text = str(value)
    rest, slash, protocol = text.partition("/")
    address, spans = _split(rest)
    host, colon, container = spans.rpartition(":")
    try:
        return _checked(
            target=_span(container),
            published=_span(host) if colon and host else None,
            host_ip=address,
            protocol=protocol.lower() if slash else "tcp",
        )
    except ValueError as error:
        raise ValueError(f"{shown(text)} is not a published port ({_FORM}): {error}") from None


def _split(text: str) -> tuple[str | None, str]:
    """The address before the second colon from the end, and what follows it."""
    if text.count(":") < 2:
        return None, text
    address, host, container = text.rsplit(":", 2)
    return address.removeprefix("[").removesuffix("]") or None, f"{host}:{container}"


def _long(value: Mapping[str, object]) -> PublishedPort:
    for key in value:
        if key not in _LONG_KEYS and not str(key).startswith("x-"):
            raise ValueError(f"unknown key {shown(key)} of a port (known: {', '.join(_LONG_KEYS)})")
    if "target" not in value:
        raise ValueError("target, the container's port, is missing")
    if value.get("mode", "ingress") not in ("ingress", "host"):
        raise ValueError(f"mode {shown(value['mode'])} is not ingress or host")
    published, address = value.get("published"), value.get("host_ip")
    target = _span(value["target"])
    if len(target) > 1:
        raise ValueError(f"target {shown(value['target'])} is not one port")
    return _checked(
        target=target,
        published=None if published in (None, "") else _span(published),
        host_ip=None if address in (None, "") else str(address),
        protocol=str(value.get("protocol", "tcp")).lower(),
    )


def _checked(
    target: range, published: range | None, host_ip: str | None, protocol: str
) -> PublishedPort:
    if protocol not in _PROTOCOLS:
        raise ValueError(f"{shown(protocol)} is not a protocol (tcp, udp or sctp)")
    if host_ip is not None:
        try:
            if "%" in host_ip:  # a zone, which can be any text
                raise ValueError(host_ip)
            host_ip = str(ipaddress.ip_address(host_ip))
        except ValueError:
            raise ValueError(f"{shown(host_ip)} is not an IP address") from None
    if published is not None and len(target) > 1 and len(published) != len(target):
        raise ValueError(
            f"{len(published)} ports of the host for {len(target)} of the container; "
            "both ranges are equally long, or the container's is one port"
        )
    return PublishedPort(target, published, host_ip, protocol)


def _span(value: object) -> range:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(f"{shown(value)} is not a port or a range of ports")
    first, last = int(found[1]), int(found[2] or found[1])
    if first < 1 or last > 65535:
        raise ValueError(f"{shown(value)} is not within 1-65535")
    if first > last:
        raise ValueError(f"range {shown(value)} ends before it starts")
    return range(first, last + 1)


def _show(span: range | None) -> str:
    if span is None:
        return ""
    return str(span.start) if len(span) == 1 else f"{span.start}-{span.stop - 1}"
