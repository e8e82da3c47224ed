"""The real Traefik, with the rendered configuration, on free ports of this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import yaml

Data = dict[str, Any]
TRAEFIK = Path(sys.executable).parent / "traefik"
"""Out of its wheel."""


class Gateway:
    """Traefik as a process; what differs from the cluster is where it listens and asks."""

    def __init__(
        self, objects: Sequence[Data], folder: Path, api: str, ports: Mapping[str, int]
    ) -> None:
        (config,) = [o for o in objects if o["metadata"]["name"] == "traefik-config"]
        self.static: Data = yaml.safe_load(config["data"]["traefik.yaml"])
        self.ports = ports
        assert set(self.static["entryPoints"]) == set(ports)
        for name, point in self.static["entryPoints"].items():
            point["address"] = f"127.0.0.1:{ports[name]}"
        self.static["providers"]["kubernetesCRD"]["endpoint"] = api
        self.endpoint = api
        self._file = folder / "traefik.yaml"
        self.log = folder / "traefik.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._file.write_text(yaml.safe_dump(self.static))
        # A proxy of this machine's is none of a cluster's.
        env = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
        env.pop("KUBERNETES_SERVICE_HOST", None)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [TRAEFIK, f"--configFile={self._file}"],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=env,
            )

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    def api(self, path: str) -> Any:
        """What Traefik's own API says."""
        url = f"http://127.0.0.1:{self.ports['traefik']}/api/{path}"
        return httpx.get(url, trust_env=False, timeout=5, params={"per_page": 500}).json()

    def status(self, point: str, path: str) -> int | None:
        """What it answers at an entry point; None: nothing yet."""
        url = f"http://127.0.0.1:{self.ports[point]}{path}"
        try:
            return httpx.get(url, trust_env=False, timeout=5).status_code
        except httpx.HTTPError:
            return None

    def crds(self, kind: str) -> list[Data]:
        """The routers, services or middlewares of the custom resources; none before it answers."""
        try:
            return [r for r in self.api(f"http/{kind}") if r["provider"] == "kubernetescrd"]
        except (httpx.HTTPError, ValueError):
            return []

    def await_routers(self, wanted: int, timeout: float = 20) -> None:
        """Until that many routers of the custom resources are there."""
        end = time.monotonic() + timeout
        found: list[Any] = []
        while time.monotonic() < end:
            found = self.crds("routers")
            if len(found) == wanted:
                return
            time.sleep(0.05)
        raise AssertionError(
            f"{len(found)} routers instead of {wanted}:\n{self.log.read_text()[-3000:]}"
        )
