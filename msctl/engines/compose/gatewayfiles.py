"""Files for the gateway's file provider, put into its volume by the engine's API."""

from __future__ import annotations

import io
import json
import tarfile
import time
from typing import Any

from msctl.engines.compose.client import Client
from msctl.engines.compose.servers import Server
from msctl.engines.compose.steps import (
    ClearPins,
    EmptyPin,
    EmptyProbe,
    WritePin,
    WriteProbe,
)
from msctl.errors import StepFailed
from msctl.model import GATEWAY
from msctl.render.pins import file_name, is_file_of_msctl, pin, probe_name
from msctl.render.traefik import DYNAMIC_FOLDER, ENTRY_POINT_PORTS, PROBE


def server_url(client: Client, server: Server) -> str:
    """The URL of a replica that runs.

    Raises:
        StepFailed: it has no address on that network.
    """
    found = client.call(lambda api: api.inspect_container(server.container))
    networks: dict[str, Any] = found["NetworkSettings"]["Networks"]
    address = (networks.get(server.network) or {}).get("IPAddress")
    if not address:
        raise StepFailed(f"{server.container} does not run, or is not on {server.network}")
    return f"http://{address}:{server.port}"


EMPTY = "{}\n"
"""A file for the file provider that says nothing."""


def probe_path(container: str) -> str:
    """The path at which the probe of a replica answers, on msctl's own entry point."""
    return f"/msctl-probe/{container}"


class GatewayFiles:
    """The gateway's dynamic configuration of one project."""

    def __init__(self, client: Client, project: str) -> None:
        self._client = client
        self._gateway = f"{project}_{GATEWAY}"

    def write_pin(self, step: WritePin) -> None:
        urls = [server_url(self._client, server) for server in step.servers]
        text = pin(step.labels, step.service, step.slot, urls, health_check=step.health_check)
        self._put(file_name(step.service, step.slot), text)

    def empty_pin(self, step: EmptyPin) -> None:
        self._put(file_name(step.service, step.slot), EMPTY)

    def write_probe(self, step: WriteProbe) -> None:
        name = probe_name(step.server.container)
        content = {
            "routers": {
                name: {
                    "rule": f"Path(`{probe_path(step.server.container)}`)",
                    "entryPoints": [PROBE],
                    "service": name,
                    "middlewares": [name],
                }
            },
            "middlewares": {name: {"replacePath": {"path": step.path}}},
            "services": {
                name: {
                    "loadBalancer": {"servers": [{"url": server_url(self._client, step.server)}]}
                }
            },
        }
        self._put(f"{name}.yml", json.dumps({"http": content}))

    def empty_probe(self, step: EmptyProbe) -> None:
        self._put(f"{probe_name(step.target)}.yml", EMPTY)

    def clear_pins(self, step: ClearPins) -> None:
        """The gateway's container need not run."""
        chunks, _ = self._client.call(lambda api: api.get_archive(step.target, DYNAMIC_FOLDER))
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
            for entry in tar:
                name = entry.name.rpartition("/")[2]
                if entry.isfile() and is_file_of_msctl(name):
                    self._put(name, EMPTY)

    def probe_url(self) -> str | None:
        """Where msctl's own entry point is published; None when it is not."""
        found = self._client.call(lambda api: api.inspect_container(self._gateway))
        ports = found["NetworkSettings"]["Ports"].get(f"{ENTRY_POINT_PORTS[PROBE]}/tcp")
        return f"http://127.0.0.1:{ports[0]['HostPort']}" if ports else None

    def _put(self, name: str, text: str) -> None:
        content = text.encode()
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = len(content), int(time.time()), 0o644
            tar.addfile(entry, io.BytesIO(content))
        self._client.call(
            lambda api: api.put_archive(self._gateway, DYNAMIC_FOLDER, archive.getvalue())
        )
