"""Fixtures for all tests; its place puts `tests/` on the path, so that tests import `memory`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings
from memory import World
from turns import alone, beside, forget

WAITING = 900
"""Seconds for a test that has to be alone, with the time that it waits for that."""

settings.register_profile("msctl", deadline=None)  # a busy machine takes its time over an example
settings.load_profile("msctl")


@pytest.fixture
def world() -> World:
    """An empty machine."""
    return World()


@pytest.fixture(autouse=True)
def _turn(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests that load the machine have it for themselves."""
    with alone() if request.node.get_closest_marker("alone") else beside():
        yield


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist, in the process that hands out the tests
def pytest_configure_node(node: Any) -> None:
    """When all others have ended, nothing of the run is left."""
    run = node.workerinput["testrunuid"]
    node.config.add_cleanup(lambda: forget(run))


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks at the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What shares a stack runs in one process: each file, and MusicShare's as one.

    MusicShare's take longest and begin; files with tests that have to be alone come last, when
    there is nothing else to do for whom they keep waiting.
    """
    alone = {item.path for item in items if item.get_closest_marker("alone")}
    for item in items:
        folder = item.path.parent
        shared = folder if folder.name == "musicshare" else item.path
        item.add_marker(pytest.mark.xdist_group(str(shared)))
        if item.get_closest_marker("alone"):
            item.add_marker(pytest.mark.timeout(WAITING))
        if item.get_closest_marker("soak") and "MSCTL_TEST_SOAK" not in os.environ:
            item.add_marker(pytest.mark.skip(reason="long: make soak"))
    items.sort(key=lambda item: (item.path in alone, item.path.parent.name != "musicshare"))
