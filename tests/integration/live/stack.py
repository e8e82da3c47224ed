"""A stack of its own name, in a folder of its own, that leaves nothing behind."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import yaml
from docker.errors import APIError, ImageNotFound, NotFound

from live.client import Visitor
from live.ports import free_port
from live.run import COMPOSE, MSCTL, Result, Running, environment, run
from live.screen import Screen
from msctl.render import socketproxy

REPOSITORY = Path(__file__).resolve().parents[3]
SAMPLE = "msctl-test/sample:latest"
"""The sample service's image, under a tag of the tests' own."""
GATEWAY_IMAGE = "traefik:v3.7"
PROMETHEUS_IMAGE = "prom/prometheus:v3.5.0"
PROXY_IMAGE = socketproxy.IMAGE
PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"


def service(*paths: str, **changes: Any) -> dict[str, Any]:
    """A sample service as the stack file has it, routed by these paths; None takes a key away."""
    env = {"PORT": 8000, **changes.pop("env", {})}
    found = {
        "image": SAMPLE,
        "port": 8000,
        "routes": [{"path": path} for path in paths] or None,
        "health": {"path": "/health", "interval": "1s"},
        "rollout": {"drain": "500ms", **changes.pop("rollout", {})},
        "env": env,
        **changes,
    }
    return {key: value for key, value in found.items() if value is not None}


@dataclass
class Stack:
    """Commands on one stack, and the engine's word on it."""

    engine: docker.DockerClient
    project: str = field(default_factory=lambda: f"msctl-test-{secrets.token_hex(4)}")
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="msctl-test-")))
    file: str = "stack.yaml"
    http: int = field(default_factory=free_port)
    dashboard: int = field(default_factory=free_port)
    options: list[str] = field(default_factory=list)
    """Global options of every command."""
    inside: list[str] = field(default_factory=list)
    """What leads its commands into the engine's network, where that is not this one."""
    env: dict[str, str] = field(default_factory=environment)
    images: list[str] = field(default_factory=list)
    """Images of its own, removed with it."""
    _running: list[Running] = field(default_factory=list)
    _strangers: list[str] = field(default_factory=list)

    # The file

    def write(self, services: Mapping[str, Any], **top: Any) -> None:
        """Write the stack file: HTTP only, on the stack's ports."""
        gateway = {
            "image": GATEWAY_IMAGE,
            "http": f"127.0.0.1:{self.http}",
            "https": "off",
            "dashboard": f"127.0.0.1:{self.dashboard}",
            "tls": {"mode": "off"},
            **top.pop("gateway", {}),
        }
        content = {"name": self.project, "gateway": gateway, "services": dict(services), **top}
        (self.folder / self.file).write_text(yaml.safe_dump(content, sort_keys=False))

    def write_text(self, text: str | bytes) -> None:
        """Write the stack file as it is given."""
        content = text if isinstance(text, bytes) else text.encode()
        (self.folder / self.file).write_bytes(content)

    @property
    def visitor(self) -> Visitor:
        """Somebody who comes in by the gateway."""
        return Visitor(f"http://127.0.0.1:{self.http}")

    @property
    def gateway_api(self) -> Visitor:
        """Somebody who asks the gateway's API."""
        return Visitor(f"http://127.0.0.1:{self.dashboard}")

    # Commands

    def msctl(self, *words: str, **env: str) -> Result:
        """Run msctl to its end, whatever that is."""
        return run([*self.inside, MSCTL, *self.options, *words], self.folder, {**self.env, **env})

    def ok(self, *words: str) -> Result:
        """Run msctl, which has to end well."""
        result = self.msctl(*words)
        assert result.status == 0, f"msctl {' '.join(words)}: {result}"
        return result

    def start(self, *words: str, **env: str) -> Running:
        """Start msctl and go on."""
        command = [*self.inside, MSCTL, *self.options, *words]
        running = Running(command, self.folder, {**self.env, **env})
        self._running.append(running)
        return running

    def screen(self, *words: str, columns: int, lines: int) -> Screen:
        """Start msctl on a terminal of this size."""
        command = [*self.inside, MSCTL, *self.options, *words]
        return Screen(command, self.folder, self.env, columns, lines)

    def compose(self, *words: str) -> Result:
        """Run the real Docker Compose, which has to end well."""
        result = run([COMPOSE, *words], self.folder, self.env)
        assert result.status == 0, f"docker compose {' '.join(words)}: {result}"
        return result

    # The engine's word

    def rows(self, service: str | None = None) -> list[dict[str, Any]]:
        """The project's containers, whatever their state."""
        wanted = [f"{PROJECT}={self.project}"] + ([f"{SERVICE}={service}"] if service else [])
        found: list[dict[str, Any]] = self.engine.api.containers(
            all=True, filters={"label": wanted}
        )
        return found

    def ids(self, service: str | None = None) -> dict[str, str]:
        """Container ids by name."""
        return {row["Names"][0].lstrip("/"): row["Id"] for row in self.rows(service)}

    def inspect(self, name: str) -> dict[str, Any]:
        """The engine's record of a container."""
        found: dict[str, Any] = self.engine.api.inspect_container(name)
        return found

    def networks(self) -> list[str]:
        found = self.engine.api.networks(names=[f"{self.project}_"])
        return sorted(n["Name"] for n in found if n["Name"].startswith(f"{self.project}_"))

    def volumes(self) -> list[str]:
        found = self.engine.api.volumes(filters={"name": f"{self.project}_"})["Volumes"] or []
        return sorted(v["Name"] for v in found if v["Name"].startswith(f"{self.project}_"))

    def traces(self) -> list[str]:
        """All that the engine has of the project."""
        return [*self.ids(), *self.networks(), *self.volumes()]

    def stranger(self, *command: str, **options: Any) -> str:
        """Run a container that msctl did not make; its name."""
        name = options.pop("name", f"{self.project}-stranger-{secrets.token_hex(2)}")
        self._strangers.append(name)
        self.engine.containers.run(
            SAMPLE, list(command), entrypoint=[], name=name, detach=True, init=True, **options
        )
        return str(name)

    # The end

    def destroy(self) -> None:
        """Remove all that there is of it; fails when something stays."""
        try:
            for running in self._running:
                if running.process.poll() is None:
                    running.kill()
            for _ in range(3):
                for remove, what in self._removals():
                    with suppress(NotFound, ImageNotFound):
                        try:
                            remove(what)
                        except APIError as error:
                            if error.status_code not in (403, 409):  # still in use
                                raise
                if not self.traces():
                    break
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
        assert not self.traces(), f"could not be removed: {self.traces()}"

    def _removals(self) -> Iterator[tuple[Any, str]]:
        api = self.engine.api
        for name in [*self._strangers, *self.ids().values()]:
            yield lambda one: api.remove_container(one, force=True, v=True), name
        for name in self.networks():
            yield api.remove_network, name
        for name in self.volumes():
            yield api.remove_volume, name
        kept = [tag for image in api.images() for tag in image["RepoTags"] or ()]
        own = [tag for tag in kept if tag.startswith(f"{self.project}-")]
        for tag in [*own, *self.images]:
            yield lambda one: api.remove_image(one, force=True), tag


NewStack = Callable[[], Stack]
"""Makes a stack that is gone when its test is."""
