"""The engine by other ways than its socket."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from live import Stack, service
from live.tlswire import TlsWire

pytestmark = pytest.mark.engine


@pytest.fixture
def home(stack: Stack) -> Path:
    """The operator's home, with Docker's configuration in it."""
    stack.env.pop("DOCKER_CONFIG", None)
    home = stack.folder / "home"
    (home / ".docker").mkdir(parents=True)
    return home


@pytest.fixture
def wire(home: Path) -> Iterator[TlsWire]:
    """Certificates lie where Docker's own command looks for them."""
    wire = TlsWire(home / ".docker")
    yield wire
    wire.close()


def test_a_stack_by_tls_and_by_a_context(stack: Stack, home: Path, wire: TlsWire) -> None:
    """DOCKER_HOST with TLS and a context that is in use lead to the same engine; without a
    certificate there is none."""
    stack.write({"db": service()})
    by_host = {"HOME": str(home), "DOCKER_HOST": wire.address, "DOCKER_TLS_VERIFY": "1"}
    up = stack.msctl("up", **by_host)
    assert up.status == 0, up
    key = hashlib.sha256(b"far").hexdigest()
    folder = home / ".docker" / "contexts"
    (folder / "meta" / key).mkdir(parents=True)
    (folder / "tls" / key / "docker").mkdir(parents=True)
    docker = {"Host": wire.address, "SkipTLSVerify": False}
    meta = {"Name": "far", "Metadata": {}, "Endpoints": {"docker": docker}}
    (folder / "meta" / key / "meta.json").write_text(json.dumps(meta))
    for name in ("ca.pem", "cert.pem", "key.pem"):
        shutil.copy(home / ".docker" / name, folder / "tls" / key / "docker" / name)
    (home / ".docker" / "config.json").write_text(json.dumps({"currentContext": "far"}))
    status = stack.msctl("status", "--json", HOME=str(home), DOCKER_HOST="")
    assert status.status == 0, status
    assert json.loads(status.out)["services"][0]["running"] == 1
    (folder / "tls" / key / "docker" / "cert.pem").unlink()
    refused = stack.msctl("status", HOME=str(home), DOCKER_HOST="")
    assert refused.status == 3
    assert f"no Docker engine answers at {wire.address} (context far)" in refused.err
