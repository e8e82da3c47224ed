"""Fixtures for all tests; its place puts `tests/` on the path, so that tests import `memory`."""

from __future__ import annotations

import pytest
from memory import World


@pytest.fixture
def world() -> World:
    """An empty machine."""
    return World()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What shares a stack runs in one process: each file, and MusicShare's as one."""
    for item in items:
        folder = item.path.parent
        shared = folder if folder.name == "musicshare" else item.path
        item.add_marker(pytest.mark.xdist_group(str(shared)))
