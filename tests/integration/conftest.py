"""The engine, the images, and stacks that are gone when their test is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from live import NewStack, Stack
from live.fixtures import build_images, build_prometheus, made_stacks

_BUILDS = 900
"""Seconds for the first test, which waits for the images."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    ours = [item for item in items if here in item.path.parents]
    modules = {item.path: item for item in reversed(ours)}
    for first in modules.values():
        first.add_marker(pytest.mark.timeout(_BUILDS))


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.DockerClient]:
    """The engine that the environment names."""
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture(scope="session")
def images(engine: docker.DockerClient) -> None:
    """Those that the stacks of the tests are made of."""
    build_images(engine)


@pytest.fixture(scope="session")
def prometheus_image(engine: docker.DockerClient) -> None:
    """Prometheus, with its promtool."""
    build_prometheus(engine)


@pytest.fixture(scope="module")
def module_stacks(engine: docker.DockerClient, images: None) -> Iterator[NewStack]:  # noqa: ARG001
    """Makes stacks that live as long as the module's tests."""
    yield from made_stacks(engine)


@pytest.fixture
def stacks(engine: docker.DockerClient, images: None) -> Iterator[NewStack]:  # noqa: ARG001
    """Makes stacks that live as long as the test."""
    yield from made_stacks(engine)


@pytest.fixture
def stack(stacks: NewStack) -> Stack:
    """A stack without a file yet."""
    return stacks()
