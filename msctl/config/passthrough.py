"""What `x-compose` says: whether Docker Compose can read it, and msctl make it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msctl.config.problems import Path
from msctl.fields import shown
from msctl.model import Service, Stack
from msctl.render.canonical import canonical
from msctl.render.canonical.composetypes import SERVICE, TEXT

_AT = "x-compose"
_NAMESPACES = ("ipc", "pid", "uts", "cgroup")
Found = Iterator[tuple[Path, str]]


def of_service(stack: Stack, service: Service) -> Found:
    """What is wrong with a service's `x-compose`."""
    passed = service.passthrough
    for key in _NAMESPACES:
        if str(passed.get(key, "")).startswith(("service:", "container:")):
            yield (_AT, key), "another container's cannot be shared; replicas come and go"
    joined = stack.networks_of(service)
    for name in passed.get("networks") or ():
        if name not in joined:
            yield (_AT, "networks", name), f"the service is not in network {shown(name)}"
    for key, value in passed.items():
        if isinstance(value, int) and not isinstance(value, bool) and _is_text(key):
            yield (_AT, key), f"{value} is no text; quote it: '{value}'"
    if any("capabilities" not in request for request in _requests(passed)):
        where = (_AT, "deploy", "resources", "reservations", "devices")
        yield where, "a device without capabilities; write, say, capabilities: [gpu]"
    readable = {key: value for key, value in passed.items() if key != "build"}
    if message := _unreadable({"services": {_AT: {"image": "i", **readable}}}, f"services.{_AT}"):
        yield (_AT,), message
    for key in ("volumes", "ports"):
        for index, entry in enumerate(getattr(service, key)):
            if isinstance(entry, dict) and (message := _unreadable_entry(key, entry)):
                yield (key, index), message


def _is_text(key: str) -> bool:
    return (SERVICE.fields or {})[key] is TEXT


def _requests(passed: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The devices that are reserved, as far as they can be read."""
    found: Any = passed
    for key in ("deploy", "resources", "reservations", "devices"):
        found = found.get(key) if isinstance(found, dict) else None
    yield from (one for one in found or () if isinstance(one, dict))


def of_stack(stack: Stack) -> Found:
    """What is wrong with what is said about networks and volumes."""
    for name in stack.passthrough.get("networks") or ():
        if name not in stack.networks:
            where = (_AT, "networks", name)
            yield where, f"network {shown(name)} is not among the stack's networks"
    if message := _unreadable(stack.passthrough, ""):
        yield (_AT,), message


def _unreadable_entry(key: str, entry: dict[str, Any]) -> str | None:
    """Why Docker Compose would not take the long form of a mount or port; None: it does."""
    named = entry.get("source") if entry.get("type") == "volume" else None
    volumes = {str(named): None} if named else {}
    document = {"services": {key: {"image": "i", key: [entry]}}, "volumes": volumes}
    return _unreadable(document, f"services.{key}.{key}[0]")


def _unreadable(document: dict[str, Any], prefix: str) -> str | None:
    """Why Docker Compose would not take it; None: it does."""
    try:
        canonical(document, working_dir="/", project="p", home="/")
    except ValueError as error:
        return str(error).removeprefix(f"{prefix}.")
    return None
