"""A cluster in memory, before and after the first `up` of the shop."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from apiserver import ApiServer
from clusters import Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """The shop's file is there, and an empty cluster."""
    with ApiServer() as api:
        yield Site(tmp_path, api)


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The shop after its first up, to be copied."""
    with ApiServer() as api:
        found = Site(tmp_path_factory.mktemp("furnished"), api)
        answer = found.msctl("up")
        assert answer.status == 0, answer.err
    return found


@pytest.fixture
def shop(site: Site, furnished: Site) -> Site:
    """The shop is up."""
    site.api.like(furnished.api)
    shutil.copytree(furnished.folder / ".msctl", site.folder / ".msctl")
    return site
