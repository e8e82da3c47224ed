"""Compose's `healthcheck` and the gateway's check → `health`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from msctl.config.problems import Path
from msctl.importing.source import Source
from msctl.model import Service
from msctl.records import Unfit
from msctl.render.health import health_check

_URL = re.compile(
    r"(?:http://|(?<![\w/:.]))(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::(\d+))?(/[\w./~%+-]*)?"
)
_ASKS = re.compile(r"\b(?:curl|wget)\b")
_GRPC = re.compile(r"-addr=127\.0\.0\.1(?::(\d+))?")
_KEYS = ("interval", "timeout", "retries", "start_period")
_ENGINE = {"interval": "30s", "timeout": "30s"}
"""What the engine takes where the file says nothing, and msctl would take something else."""
_GATEWAY = {"interval": "30s", "timeout": "5s"}
"""The same for Traefik's check."""


@dataclass
class Health:
    """What a service's checks come to."""

    health: dict[str, Any] | None = None
    port: int | None = None
    """The port that the check asks, where only it tells."""
    passed: dict[str, Any] = field(default_factory=dict)
    """What goes to `x-compose`."""


def health_of(
    source: Source, name: str, check: Any, port: Any, asked: Mapping[str, str] | None
) -> Health:
    """`check` is Compose's, `asked` the gateway's options by Traefik's names, None without routes;
    `port` is what routes lead to."""
    at: Path = ("services", name, "healthcheck")
    found = Health()
    check = check if isinstance(check, dict) else {}
    path = (asked or {}).get("path")
    if check.get("disable") is True or check.get("test") in ("NONE", ["NONE"]):
        found.passed = {"disable": True}
    elif "test" in check:
        _container(source, found, check, port)
        if found.health is not None and path is None and asked is not None:
            path = _asked_path(found.health.get("command"), source.resolved(port or ""))
    else:
        for key in check:
            if key not in ("disable", "start_interval"):
                source.not_carried((*at, key), "the check itself is the image's own")
    if "start_interval" in check and found.health is not None:
        found.passed["start_interval"] = check["start_interval"]
    elif "start_interval" in check and "disable" not in found.passed:
        source.not_carried((*at, "start_interval"), "the check itself is the image's own")
    if path is None:
        return found
    if found.health is None:
        times = {**_GATEWAY, **{k: asked[k] for k in _GATEWAY if asked and k in asked}}
        found.health = {"path": path, **_unusual(times), "command": "none"}
    else:
        found.health = {"path": path, **found.health}
    return found


def _container(source: Source, found: Health, check: Mapping[str, Any], port: Any) -> None:
    times = {key: check[key] for key in _KEYS if key in check}
    test = check["test"]
    if isinstance(test, str):
        test = ["CMD-SHELL", test]
    if source.own and test[:1] == ["CMD-SHELL"] and _is_auto(found, test, times, port):
        return
    words = [str(word) for word in test[1:]]
    command = ["/bin/sh", "-c", *words] if test[:1] == ["CMD-SHELL"] else words
    found.health = {**_unusual({**_ENGINE, **times}), "command": command}


def _unusual(times: Mapping[str, Any]) -> dict[str, Any]:
    """Without what msctl takes anyway."""
    usual = {"interval": "10s", "timeout": "5s", "retries": 3, "start_period": "0s"}
    return {key: value for key, value in times.items() if usual.get(key) != value}


def _is_auto(found: Health, test: list[str], times: Mapping[str, Any], port: Any) -> bool:
    """Whether msctl made this script of a path, or of `grpc`: then the same comes of it again."""
    script = test[1]
    grpc, url = _GRPC.search(script), re.search(r"-O /dev/null (\S+|'.*')$", script, re.MULTILINE)
    if grpc is not None:
        asks: dict[str, Any] = {"grpc": True}
        seen = grpc[1]
    elif url is not None:
        address = re.fullmatch(r"http://127\.0\.0\.1(?::(\d+))?(/.*)", shlex.split(url[1])[0])
        if address is None:
            return False
        asks, seen = {"path": address[2].replace("$$", "$")}, address[1]
    else:
        return False
    health = {**asks, **_unusual(times)}
    try:
        service = Service.read(
            {"image": "i", "health": health, **({"port": int(seen)} if seen else {})}
        )
    except Unfit:
        return False
    if health_check(service)["test"] != test:
        return False
    found.health, found.port = health, int(seen) if seen and port is None else None
    return True


def _asked_path(command: Any, port: str) -> str | None:
    """The path that a curl or wget of a health check asks at the service's port."""
    text = " ".join(command) if isinstance(command, list) else ""
    address = _URL.search(text) if _ASKS.search(text) else None
    if address is None or (address[1] or "80") != port:
        return None
    return address[2] or "/"
