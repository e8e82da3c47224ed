"""Fixtures for all tests; its place puts `tests/` on the path, so that tests import `memory`."""

from __future__ import annotations

import pytest
from memory import World


@pytest.fixture
def world() -> World:
    """An empty machine."""
    return World()
