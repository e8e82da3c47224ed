"""Pins: files for the gateway's file provider that hold a service's traffic on chosen replicas.

A pin is made from the labels of the revision that serves, so that it has the same rules, entry
points, TLS, priorities, middlewares, cookie and health check as what the gateway made of the
labels itself. Names carry the slot: router `web` is `web-a` in slot a.

Traefik's file provider (3.7) reads the same option names as its labels, without regard to case,
and takes scalars as labels have them: numbers as text, lists joined by commas (tried).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msctl.render.traefik import PROBE

Slot = Literal["a", "b"]
SLOTS: tuple[Slot, Slot] = ("a", "b")
_PIN_SERVICE = re.compile(r"(.+)-([ab])@file")


def other(slot: Slot) -> Slot:
    return "b" if slot == "a" else "a"


def file_name(service: str, slot: Slot) -> str:
    return f"{service}.{slot}.yml"


def is_file_of_msctl(name: str) -> bool:
    """Whether a file of the gateway's folder is a pin or a probe."""
    return re.fullmatch(r".+\.[ab]\.yml|probe-.+\.yml", name) is not None


def gateway_name(service: str, slot: Slot) -> str:
    """What the gateway's API calls the pinned service."""
    return f"{service}-{slot}@file"


def parse_gateway_name(name: str) -> tuple[str, Slot] | None:
    """Service and slot of a pin; None for any other name."""
    if (found := _PIN_SERVICE.fullmatch(name)) is None:
        return None
    return found[1], "a" if found[2] == "a" else "b"


def probe_name(container: str) -> str:
    """Router, service and file of the probe of a new replica."""
    return f"probe-{container}"


def parse_probe_name(name: str) -> str | None:
    """The container of a probe, by what the gateway's API calls its service."""
    found = re.fullmatch(r"probe-(.+)@file", name)
    return found[1] if found else None


def probe_path(container: str) -> str:
    """The path at which the probe of a replica answers, on msctl's own entry point."""
    return f"/msctl-probe/{container}"


def probe(container: str, url: str, path: str) -> str:
    """The text of a probe: msctl's own entry point asks one replica (URL) for its health path."""
    name = probe_name(container)
    router = {
        "rule": f"Path(`{probe_path(container)}`)",
        "entryPoints": [PROBE],
        "service": name,
        "middlewares": [name],
    }
    content = {
        "routers": {name: router},
        "middlewares": {name: {"replacePath": {"path": path}}},
        "services": {name: {"loadBalancer": {"servers": [{"url": url}]}}},
    }
    return template_free({"http": content})


def pin(
    labels: Mapping[str, str],
    service: str,
    slot: Slot,
    servers: Sequence[str],
    *,
    health_check: bool = True,
) -> str:
    """The text of a pin: the service's routers lead to exactly these servers (URLs).

    `health_check=False` leaves the health check out, where the servers do not agree on one.
    """
    http = _tree(labels)
    middlewares = http.get("middlewares", {})
    balancer = dict(http.get("services", {}).get(service, {}).get("loadbalancer", {}))
    balancer.pop("server", None)
    if not health_check:
        balancer.pop("healthcheck", None)
    balancer["servers"] = [{"url": url} for url in servers]
    routers = {
        f"{name}-{slot}": _router(router, service, slot, middlewares)
        for name, router in http.get("routers", {}).items()
    }
    content: dict[str, Any] = {
        "routers": routers,
        "services": {f"{service}-{slot}": {"loadbalancer": balancer}},
    }
    if middlewares:
        content["middlewares"] = {f"{name}-{slot}": body for name, body in middlewares.items()}
    return template_free({"http": content})


def _router(
    router: Mapping[str, Any], service: str, slot: Slot, own: Mapping[str, Any]
) -> dict[str, Any]:
    pinned = {**router, "service": f"{service}-{slot}"}
    if names := router.get("middlewares"):
        pinned["middlewares"] = ",".join(
            f"{name}-{slot}" if name in own else name for name in names.split(",")
        )
    return pinned


def template_free(content: Mapping[str, Any]) -> str:
    """JSON, which is YAML; `{{` would start a template, since the file provider runs them."""
    return json.dumps(content, indent=1).replace("{{", "{\\u007b")


def _tree(labels: Mapping[str, str]) -> dict[str, Any]:
    """`traefik.http.a.b.c=v` → {a: {b: {c: v}}}."""
    prefix = "traefik.http."
    return nested({k.removeprefix(prefix): v for k, v in labels.items() if k.startswith(prefix)})


def nested(options: Mapping[str, str]) -> dict[str, Any]:
    """`a.b.c=v` → {a: {b: {c: v}}}."""
    root: dict[str, Any] = {}
    for path, value in sorted(options.items()):
        *parents, leaf = path.split(".")
        node = root
        for name in parents:
            # `sticky.cookie=true` only says that there is a cookie; its options follow.
            if not isinstance(node.get(name), dict):
                node[name] = {}
            node = node[name]
        node[leaf] = {} if leaf in ("tls", "cookie") and value == "true" else value
    return root


def same_routing(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether two revisions have the same routers and middlewares, whatever their balancers."""
    first, second = _tree(one), _tree(other)
    return all(first.get(key) == second.get(key) for key in ("routers", "middlewares"))


def same_health_check(one: Mapping[str, str], other: Mapping[str, str], service: str) -> bool:
    """Whether two revisions are checked alike by the gateway."""
    checks = [
        _tree(labels)
        .get("services", {})
        .get(service, {})
        .get("loadbalancer", {})
        .get("healthcheck")
        for labels in (one, other)
    ]
    return bool(checks[0] == checks[1])
