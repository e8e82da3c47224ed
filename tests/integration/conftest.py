"""The engine, the images, and stacks that are gone when their test is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker.errors import ImageNotFound
from live import GATEWAY_IMAGE, REPOSITORY, SAMPLE, NewStack, Stack

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
    """The sample service as it is in this tree (the engine's cache makes that quick), and a
    gateway."""
    build = engine.api.build
    for tag, folder in ((SAMPLE, "services/sample"), (GATEWAY_IMAGE, "images/traefik")):
        if tag != SAMPLE and _has(engine, tag):
            continue
        for message in build(str(REPOSITORY / "compose" / folder), tag=tag, rm=True, decode=True):
            assert "error" not in message, message["error"]


def _has(engine: docker.DockerClient, tag: str) -> bool:
    try:
        engine.images.get(tag)
    except ImageNotFound:
        return False
    return True


@pytest.fixture(scope="module")
def module_stacks(engine: docker.DockerClient, images: None) -> Iterator[NewStack]:  # noqa: ARG001
    """Makes stacks that live as long as the module's tests."""
    yield from _stacks(engine)


@pytest.fixture
def stacks(engine: docker.DockerClient, images: None) -> Iterator[NewStack]:  # noqa: ARG001
    """Makes stacks that live as long as the test."""
    yield from _stacks(engine)


@pytest.fixture
def stack(stacks: NewStack) -> Stack:
    """A stack without a file yet."""
    return stacks()


def _stacks(engine: docker.DockerClient) -> Iterator[NewStack]:
    made: list[Stack] = []

    def make() -> Stack:
        made.append(Stack(engine))
        return made[-1]

    try:
        yield make
    finally:
        failures = [error for one in made if (error := _destroyed(one))]
        if failures:
            raise ExceptionGroup("stacks that could not be removed", failures)


def _destroyed(stack: Stack) -> Exception | None:
    try:
        stack.destroy()
    except Exception as error:
        return error
    return None
