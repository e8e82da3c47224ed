"""A project of its own on each engine, cleaned away afterwards."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from machines import Bench, MemoryMachine, RealMachine, Site


@pytest.fixture(params=["memory", pytest.param("docker", marks=pytest.mark.engine)])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """A project of its own on each engine."""
    project = f"msctl-contract-{secrets.token_hex(4)}"
    if request.param == "memory":
        yield Bench(MemoryMachine(), project)
        return
    import docker

    with docker.from_env().api as api:
        machine = RealMachine(tmp_path, api)
        try:
            yield Bench(machine, project)
        finally:
            machine.clean(project)


@pytest.fixture
def site(bench: Bench) -> Callable[..., Site]:
    """Makes the engine of a stack with these services."""
    return lambda **services: bench.site(services)
