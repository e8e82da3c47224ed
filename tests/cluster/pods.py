"""Pods of rendered Deployments, each a sample service in this process, and their EndpointSlices."""

from __future__ import annotations

import dataclasses
import importlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aiohttp import web

from cluster.api import Api
from cluster.background import Background

Data = dict[str, Any]
SAMPLE = Path(__file__).parents[2] / "compose" / "services" / "sample"
_KEPT = ("SERVICE_NAME", "KIND", "CORS_ORIGINS", "GATEWAY_URL")
"""Of a container's environment: what it depends on is not here."""


class Pods:
    """Runs replicas of services, and says in the API where they are."""

    def __init__(self, api: Api, background: Background, objects: Sequence[Data]) -> None:
        self._api, self._background = api, background
        self.ports: dict[str, list[int]] = {}
        """Where the replicas of each service listen."""
        self._services = {
            item["metadata"]["name"]: item for item in objects if item["kind"] == "Service"
        }

    def start(self, deployment: Data, replicas: int, **env: str) -> None:
        """So many replicas of a Deployment; `env` over the container's own."""
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        said = {entry["name"]: entry["value"] for entry in container.get("env", ())}
        settings = {key: value for key, value in said.items() if key in _KEPT} | env
        name = deployment["metadata"]["name"]
        for number in range(replicas):
            port = self._serve(name, number, settings)
            self.ports.setdefault(name, []).append(port)
            self._background.run(self._publish(name, number, port, ready=True))

    def ready(self, name: str, number: int, port: int, *, ready: bool) -> None:
        """What the readiness probe of a replica says now."""
        self._background.run(self._publish(name, number, port, ready=ready))

    def _serve(self, name: str, number: int, env: Mapping[str, str]) -> int:
        answers, config, dependencies, life = _sample()
        settings = config.read({"ACCESS_LOG": "off", "MISBEHAVE_API": "any", **env})
        settings = dataclasses.replace(settings, replica=f"{name}-{number}")

        async def made() -> web.Application:
            whole = life.Life(settings, settings.misbehaviour)
            application: web.Application = answers.Service(
                whole, dependencies.monitor(settings)
            ).application()
            return application

        return self._background.serve(self._background.run(made()), address(number))

    async def _publish(self, name: str, number: int, port: int, *, ready: bool) -> None:
        """A slice of its own for each, since its port is its own."""
        service = self._services[name]
        conditions = {"ready": ready, "serving": ready, "terminating": False}
        metadata = {
            "name": f"{name}-{number}",
            "namespace": service["metadata"]["namespace"],
            "labels": {"kubernetes.io/service-name": name},
        }
        self._api.put(
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": metadata,
                "addressType": "IPv4",
                "endpoints": [{"addresses": [address(number)], "conditions": conditions}],
                "ports": [
                    {"name": entry["name"], "port": port, "protocol": "TCP"}
                    for entry in service["spec"]["ports"]
                ],
            }
        )


def address(number: int) -> str:
    """That of the pods with this number: Traefik takes each address of a Service once."""
    return f"127.0.0.{number + 2}"


def _sample() -> list[Any]:
    """The modules of the sample service, which is no package of msctl's."""
    if str(SAMPLE) not in sys.path:
        sys.path.append(str(SAMPLE))
    parts = ("answers", "config", "dependencies", "life")
    return [importlib.import_module(f"sample.{part}") for part in parts]
