"""Files for the gateway's file provider, put into its volume by the engine's API."""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Mapping
from typing import Any

from msctl.engines.compose.api.client import MISSING, Client, EngineFault
from msctl.engines.compose.servers import Server
from msctl.engines.compose.settingsteps import EmptySettings, WriteSettings
from msctl.engines.compose.steps import (
    ClearPins,
    EmptyPin,
    EmptyProbe,
    WritePin,
    WriteProbe,
)
from msctl.errors import StepFailed
from msctl.files.wholefile import PRIVATE, PUBLIC
from msctl.model import GATEWAY
from msctl.render.traefik import DYNAMIC_FOLDER, ENTRY_POINT_PORTS, PROBE
from msctl.render.traefik.pins import file_name, is_file_of_msctl, pin, probe, probe_name
from msctl.render.traefik.settings import Settings, digest_of_file, is_users_file
from msctl.render.traefik.settings import file_name as settings_file


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
        text = probe(step.server.container, server_url(self._client, step.server), step.path)
        self._put(f"{probe_name(step.server.container)}.yml", text)

    def empty_probe(self, step: EmptyProbe) -> None:
        self._put(f"{probe_name(step.target)}.yml", EMPTY)

    def clear_pins(self, step: ClearPins) -> None:
        """The gateway's container need not run."""
        for name in self._names(step.target):
            if is_file_of_msctl(name):
                self._put(name, EMPTY)

    def present_settings(self) -> list[str]:
        """Digests of the settings that are written; none without a container."""
        try:
            files = self._sizes(self._gateway)
        except EngineFault as fault:
            if fault.status == MISSING:
                return []
            raise
        found = ((digest_of_file(name), size) for name, size in files.items())
        return [digest for digest, size in found if digest and size > len(EMPTY)]

    def write_settings(self, step: WriteSettings, wanted: Settings | None) -> None:
        """The file that names others comes last."""
        new = wanted.files if wanted else {}
        if new:
            self._put_all(new, PRIVATE)
        if step.alone:
            for name in self._names(self._gateway):
                if name not in new and (digest_of_file(name) or is_users_file(name)):
                    self._put(name, EMPTY if digest_of_file(name) else "")

    def empty_settings(self, step: EmptySettings) -> None:
        """Files of users stay until the gateway starts the next time: others may name them."""
        self._put(settings_file(step.digest), EMPTY)

    def probe_url(self) -> str | None:
        """Where msctl's own entry point is published; None when it is not."""
        if not self._client.local:
            return f"http://{GATEWAY}:{ENTRY_POINT_PORTS[PROBE]}"  # from inside the stack
        found = self._client.call(lambda api: api.inspect_container(self._gateway))
        ports = found["NetworkSettings"]["Ports"].get(f"{ENTRY_POINT_PORTS[PROBE]}/tcp")
        return f"http://127.0.0.1:{ports[0]['HostPort']}" if ports else None

    def _names(self, container: str) -> list[str]:
        return list(self._sizes(container))

    def _sizes(self, container: str) -> dict[str, int]:
        """Bytes of the files, by name; the container need not run."""
        found = self._client.call(
            lambda api: b"".join(api.get_archive(container, DYNAMIC_FOLDER)[0])
        )
        with tarfile.open(fileobj=io.BytesIO(found)) as tar:
            return {e.name.rpartition("/")[2]: e.size for e in tar if e.isfile()}

    def _put(self, name: str, text: str) -> None:
        self._put_all({name: text}, PUBLIC)

    def _put_all(self, files: Mapping[str, str], mode: int) -> None:
        """Files of the gateway's user, in the order in which they are given."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for name, text in files.items():
                content = text.encode()
                entry = tarfile.TarInfo(name)
                entry.size, entry.mtime, entry.mode = len(content), int(time.time()), mode
                tar.addfile(entry, io.BytesIO(content))
        self._client.call(
            lambda api: api.put_archive(self._gateway, DYNAMIC_FOLDER, archive.getvalue())
        )
