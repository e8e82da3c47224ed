"""The Compose file's Prometheus → `metrics.prometheus`, which msctl asks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msctl.fields.ports import PublishedPort, parse_port
from msctl.importing.source import Source

_IMAGE = re.compile(r"(?:.*/)?prom/prometheus(?:[:@].*)?")
_PORTS = range(9090, 9091)
_USUAL = "http://127.0.0.1:9090"


def prometheus_of(source: Source, drafts: Mapping[str, Any]) -> str | None:
    """Where this machine reaches the Prometheus of these services; None: nowhere, or where msctl
    looks for it anyway."""
    found = (
        f"http://{_host(port.host_ip)}:{port.published.start}"
        for entry in drafts.values()
        if _IMAGE.fullmatch(source.resolved(entry["image"]))
        for port in _ports(source, entry)
        if port.protocol == "tcp" and port.target == _PORTS and port.published is not None
    )
    url = next(found, None)
    return None if url == _USUAL else url


def _ports(source: Source, entry: Mapping[str, Any]) -> Iterator[PublishedPort]:
    for text in entry.get("ports", ()):
        try:
            yield parse_port(source.resolved(text))
        except ValueError:
            continue  # an error of the written file


def _host(address: str | None) -> str:
    if address is None or address in ("0.0.0.0", "::"):
        return "127.0.0.1"
    return f"[{address}]" if ":" in address else address
