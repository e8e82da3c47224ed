"""The script by which a container checks its own health, run by a real shell."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from msctl.model import Stack
from msctl.render.compose import document

TOOLS = ("wget", "curl", "python3")


class Handler(BaseHTTPRequestHandler):
    """`/fine` is well, anything else is not."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/it's&fine" else 500)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def script(port: int, **health: Any) -> str:
    service = {"image": "i", "port": port, "health": health}
    found = document(Stack.read({"name": "shop", "services": {"web": service}}))
    kind, text = found["services"]["web"]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    return str(text)


def run(text: str, bin_folder: Path) -> subprocess.CompletedProcess[str]:
    """In an environment whose proxy, as in many companies, knows nothing of the container."""
    env = {"PATH": str(bin_folder), "http_proxy": "http://127.0.0.1:9"}
    return subprocess.run(
        ["/bin/sh", "-c", text], env=env, capture_output=True, text=True, check=False
    )


def only(tool: str, folder: Path) -> Path:
    """A folder of programs that holds this one alone."""
    path = sys.executable if tool == "python3" else shutil.which(tool)
    if path is None:
        pytest.skip(f"this machine has no {tool}")
    (folder / tool).symlink_to(path)
    return folder


@pytest.mark.parametrize("tool", TOOLS)
def test_whichever_tool_the_image_has_asks(tool: str, port: int, tmp_path: Path) -> None:
    """A good answer is healthy, a bad one is not."""
    tools = only(tool, tmp_path)
    well = run(script(port, path="/it's&fine"), tools)
    assert well.returncode == 0, well.stderr
    assert run(script(port, path="/broken"), tools).returncode != 0


@pytest.mark.parametrize("tool", TOOLS)
def test_no_answer_is_unhealthy(tool: str, tmp_path: Path) -> None:
    """Where nothing listens, the check fails."""
    assert run(script(1, path="/"), only(tool, tmp_path)).returncode != 0


def test_without_any_tool_the_check_says_what_to_write(tmp_path: Path) -> None:
    """The engine keeps the output, and msctl shows it."""
    ran = run(script(80, path="/"), tmp_path)
    assert ran.returncode == 1
    assert ran.stdout == (
        "msctl: the image has no wget, curl or python3; set health.command: none\n"
    )


def test_grpc_is_asked_by_its_own_probe(tmp_path: Path) -> None:
    """The program that images for gRPC usually bring comes first."""
    probe = tmp_path / "grpc_health_probe"
    probe.write_text('#!/bin/sh\necho "$@"\nexit 3\n')
    probe.chmod(0o755)
    ran = run(script(50051, grpc=True, timeout="1500ms"), tmp_path)
    assert ran.returncode == 3
    assert ran.stdout == "-addr=127.0.0.1:50051 -connect-timeout=2s -rpc-timeout=2s\n"


def test_without_a_grpc_client_the_check_says_what_to_write(tmp_path: Path) -> None:
    """Neither of the two programs is there."""
    ran = run(script(50051, grpc=True), tmp_path)
    assert ran.returncode == 1
    assert ran.stdout == (
        "msctl: the image has no grpc_health_probe, nor python3 with grpcio; set health.command\n"
    )


def test_a_python_without_grpcio_says_what_to_write(tmp_path: Path) -> None:
    """The interpreter alone does not speak gRPC."""
    python = tmp_path / "python3"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    python.chmod(0o755)
    ran = run(script(50051, grpc=True), tmp_path)
    assert ran.returncode == 1
    assert ran.stderr == "msctl: python3 of the image has no grpcio; set health.command\n"
