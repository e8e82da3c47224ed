"""The real engine, as the integration tests use it."""

from __future__ import annotations

from collections.abc import Iterator

import docker
import pytest
from live import NewStack
from live.fixtures import build_images, made_stacks


@pytest.fixture(scope="module")
def stacks() -> Iterator[NewStack]:
    """Makes stacks that live as long as the module's benchmarks."""
    engine = docker.from_env()
    build_images(engine)
    yield from made_stacks(engine)
    engine.close()
