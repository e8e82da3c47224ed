"""A project of its own on each engine, cleaned away afterwards."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from live.tlswire import TlsWire
from machines import Bench, MemoryMachine, RealMachine, Site


@pytest.fixture(scope="session")
def by_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """An environment in which the engine of this machine is one of another machine."""
    folder = tmp_path_factory.mktemp("certificates")
    wire = TlsWire(folder)
    given = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(folder)}
    yield {**os.environ, "DOCKER_HOST": wire.address, **given}
    wire.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test on each engine; on one of another machine those marked `far`, else in a soak."""
    if "bench" in metafunc.fixturenames:
        engine, soak = pytest.mark.engine, pytest.mark.soak
        marks = (engine,) if metafunc.definition.get_closest_marker("far") else (engine, soak)
        engines = [
            "memory",
            pytest.param("socket", marks=engine),
            pytest.param("tls", marks=marks),
        ]
        metafunc.parametrize("bench", engines, indirect=True)


@pytest.fixture
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """A project of its own on each engine."""
    project = f"msctl-contract-{secrets.token_hex(4)}"
    if request.param == "memory":
        yield Bench(MemoryMachine(), project)
        return
    import docker

    with docker.from_env().api as api:
        near = request.param == "socket"
        environ = os.environ if near else request.getfixturevalue("by_tls")
        machine = RealMachine(tmp_path, api, environ, near)
        try:
            yield Bench(machine, project)
        finally:
            machine.clean(project)


@pytest.fixture
def site(bench: Bench) -> Callable[..., Site]:
    """Makes the engine of a stack with these services."""
    return lambda **services: bench.site(services)
