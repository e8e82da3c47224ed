"""A terminal with the shop's stack file, before and after its `up`."""

from __future__ import annotations

from pathlib import Path

import pytest
from loads import AUTOSCALED, Load
from terminal import SHOP, Terminal


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """The shop's file is there, its images are, and nothing is up."""
    found = Terminal(tmp_path)
    found.world.have("traefik:v3.7", "web:1", "api:1", "db:1")
    found.write(SHOP)
    return found


@pytest.fixture
def shop(terminal: Terminal) -> Terminal:
    """The shop is up."""
    assert terminal.msctl("up").status == 0
    return terminal


@pytest.fixture
def loaded(terminal: Terminal) -> Load:
    """The shop is up with an api that scales, under a load that suits two replicas."""
    terminal.write(AUTOSCALED)
    assert terminal.msctl("up").status == 0
    return Load(terminal)
