"""A stack that is observed, as it should be or not, and what its status says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from msctl.assessment import Status
from msctl.assessment.assess import assess
from msctl.config import load_text
from msctl.model import Stack
from msctl.state import (
    EngineInfo,
    GatewayView,
    Health,
    ImageState,
    Intent,
    Replica,
    StackState,
)

STACK = """
name: shop
services:
  web:
    image: shop/web:1
    port: 8000
    routes: [{path: /api}]
    replicas: {initial: 2, min: 1, max: 5}
    health: {path: /health}
    needs: [db, migrate]
  worker: {image: shop/worker:1}
  db: {image: "postgres:15", stateful: true}
  migrate: {image: shop/web:1, job: true, needs: [db]}
  extra: {image: mongo:7, optional: true}
"""
SERVERS = {"web@docker": {"http://10.0.0.1:8000": "UP", "http://10.0.0.2:8000": "UP"}}
IMAGES = ("traefik:v3.7", "shop/web:1", "shop/worker:1", "postgres:15")


def stack(**gateway: Any) -> Stack:
    text = f"{STACK}gateway: {json.dumps({'socket_proxy': 'off', **gateway})}\n"
    return load_text(text, name="stack.yaml", environ={})


def replica(service: str, number: int = 1, **changes: Any) -> Replica:
    found: dict[str, Any] = {
        "id": f"{service}{number}",
        "name": f"shop-{service}-{number}",
        "service": service,
        "number": number,
        "state": "running",
        "health": Health.HEALTHY if service in ("web", "traefik") else Health.NONE,
        "image": "an image",
        "image_id": "",
        "config_hash": f"hash of {service}",
        "revision": "{}",
        "files": None,
        "ours": True,
        "working_dir": "/srv/shop",
        "addresses": {"shop_backend": f"10.0.0.{number}"},
    }
    return Replica(**{**found, **changes})


def healthy() -> list[Replica]:
    """Every container of a stack that is as it should be."""
    done = replica("migrate", state="exited", exit_code=0, addresses={})
    web = [replica("web", 1), replica("web", 2)]
    return [replica("traefik"), *web, replica("worker"), replica("db"), done]


def observed(
    containers: list[Replica],
    *,
    view: GatewayView | None = None,
    stand_ins: tuple[str, ...] = (),
    intents: tuple[Intent, ...] = (),
) -> StackState:
    return StackState(
        project="shop",
        engine=EngineInfo("id", "28.0", (1, 51), 4, 2**34, "unix:///docker.sock"),
        containers=tuple(containers),
        networks={},
        volumes={},
        images={name: ImageState("", name in stand_ins) for name in IMAGES},
        intents=intents,
        gateway=view or GatewayView("http://127.0.0.1:8080", servers=SERVERS),
    )


def look(containers: list[Replica], *, of: Stack | None = None, **more: Any) -> Status:
    hashes: Mapping[str, str] | None = more.pop("hashes", None)
    folder = more.pop("folder", "/srv/shop")
    state = observed(containers, **more)
    return assess(of or stack(), state, engine="compose", hashes=hashes, folder=folder)


def kinds(status: Status) -> list[tuple[str, str, str | None]]:
    return [(p.severity, p.kind, p.service) for p in status.problems if p.kind != "left_out"]


def changed(containers: list[Replica], name: str, **changes: Any) -> list[Replica]:
    """The containers, with one of them different."""
    old = next(c for c in containers if c.name == name)
    new = replica(old.service, old.number, **changes)
    return [new if c is old else c for c in containers]
