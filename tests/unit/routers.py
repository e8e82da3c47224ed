"""Labels of a Compose file's services, and the routes that are made of them."""

from __future__ import annotations

from typing import Any

import yaml
from taking import loaded, taken

LAN = {"middlewares.lan.ipallowlist.sourcerange": "10.0.0.0/8"}


def shop(**routers: Any) -> str:
    """Services behind a gateway, each with the options of its routers, middlewares and services."""
    services = {
        name: {"image": name, "labels": {f"traefik.http.{key}": str(v) for key, v in said.items()}}
        for name, said in routers.items()
    }
    return yaml.safe_dump({"services": services}, sort_keys=False)


def router(name: str, rule: str, *through: str, **more: Any) -> dict[str, Any]:
    said = {"rule": rule, **({"middlewares": ",".join(through)} if through else {}), **more}
    return {f"routers.{name}.{key}": value for key, value in said.items()}


def routes(text: str, service: str = "web") -> Any:
    found = taken(text)
    loaded(found)
    return found.data["services"][service].get("routes")
