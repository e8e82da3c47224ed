"""MusicShare as compose/stack.yaml has it, on free ports under a name of its own."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest
from live import REPOSITORY, SAMPLE, Stack, Visitor, environment, free_port


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes the stack down comes last, whatever the files are called."""
    here = Path(__file__).parent
    ours = [item for item in items if item.path.parent == here]
    in_order = iter(sorted(ours, key=lambda item: item.path.name == "test_life.py"))
    items[:] = [next(in_order) if item.path.parent == here else item for item in items]


@dataclass
class MusicShare(Stack):
    """The stack of compose/stack.yaml, in a copy of the folders that it uses."""

    prometheus: int = 0
    https: int = 0

    @property
    def visitor(self) -> Visitor:
        return Visitor(f"https://127.0.0.1:{self.https}")

    def __post_init__(self) -> None:
        self.file = "compose/stack.yaml"
        self.https, self.prometheus = free_port(), free_port()
        self.options = ["-p", self.project]
        self.env = environment(
            HTTP_PORT=str(self.http),
            HTTPS_PORT=str(self.https),
            DASHBOARD_PORT=str(self.dashboard),
            PROMETHEUS_PORT=str(self.prometheus),
            GRAFANA_PORT=str(free_port()),
        )
        for folder in ("compose", "prometheus", "grafana"):
            local = shutil.ignore_patterns(".msctl", ".env", "__pycache__")
            shutil.copytree(REPOSITORY / folder, self.folder / folder, ignore=local)
        file = self.folder / self.file
        file.write_text(_for_tests(file.read_text()))

    def made(self) -> list[str]:
        """The services that have containers."""
        return sorted({row["Labels"]["com.docker.compose.service"] for row in self.rows()})

    def exec(self, container: str, *command: str) -> tuple[int, str]:
        """Run a command in a container, as its own user: exit status and output."""
        status, output = self.engine.containers.get(container).exec_run(list(command))
        return status, output.decode(errors="replace")


def _for_tests(text: str) -> str:
    """With the sample service as it is now, not as an earlier `up` built it; and checked more
    often, since engines before 25 make the first check after one interval."""
    text = re.sub(r"musicshare/[a-z-]+:latest", SAMPLE, text)
    return text.replace("interval: 10s", "interval: 4s")


@pytest.fixture(scope="package")
def musicshare(engine: docker.DockerClient, images: None) -> Iterator[MusicShare]:  # noqa: ARG001
    """MusicShare, up."""
    stack = MusicShare(engine)
    try:
        stack.ok("up")
        yield stack
    finally:
        stack.destroy()
