"""What a command loads: imports are most of what it costs."""

from __future__ import annotations

import json
import re
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from live.ports import free_port
from terminal import SHOP

_TELL = """
import os, sys
from msctl.__main__ import main

def tell(status):
    print("loaded:", *sys.modules, file=sys.stderr, flush=True)
    end(status)

end, os._exit = os._exit, tell
main()
"""


class _Bare(BaseHTTPRequestHandler):
    """An engine on which there is nothing."""

    protocol_version = "HTTP/1.1"
    answers: tuple[tuple[str, Any], ...] = (
        ("/version$", {"ApiVersion": "1.41", "Version": "20.10"}),
        ("/info$", {"ID": "bare", "NCPU": 1, "MemTotal": 1 << 30}),
        ("/volumes$", {"Volumes": []}),
        ("/(containers/json|networks)$", []),
    )

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        found = [answer for pattern, answer in self.answers if re.search(pattern, path)]
        content = json.dumps(found[0] if found else {"message": "not here"}).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def address_string(self) -> str:
        return "socket"

    def log_message(self, *_: Any) -> None:
        """Nothing is said."""


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Path]:
    """Its socket."""
    path = tmp_path / "docker.sock"
    with _Server(str(path), _Bare) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield path
        server.shutdown()
        thread.join()


def loaded(folder: Path, *words: str, engine: Path = Path("/nowhere.sock")) -> set[str]:
    """The modules that a command has loaded when it ends."""
    ran = subprocess.run(
        [sys.executable, "-c", _TELL, *words],
        cwd=folder,
        env={"DOCKER_HOST": f"unix://{engine}", "HOME": str(folder), "MSCTL_LOCKS": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    [line] = [line for line in ran.stderr.splitlines() if line.startswith("loaded:")]
    return set(line.split()[1:])


@pytest.mark.parametrize("words", [("--help",), ("--version",)])
def test_help_loads_the_command_line_alone(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Neither the stack file's model, nor an engine, nor a terminal."""
    heavy = {"aiohttp", "docker", "httpx", "kubernetes", "msctl.model", "requests", "rich", "yaml"}
    assert not loaded(tmp_path, *words) & heavy


def test_who_only_looks_loads_nothing_that_changes(tmp_path: Path, engine: Path) -> None:
    """`status --json` needs no plan, no lock, no terminal, and no HTTP library but Python's own."""
    (tmp_path / "stack.yaml").write_text(SHOP)
    found = loaded(tmp_path, "status", "--json", engine=engine)
    libraries = {"aiohttp", "asyncio", "bcrypt", "cryptography", "filelock", "httpx", "kubernetes"}
    own = {"execute", "plan", "request", "engines.base", "engines.compose.work", "ui"}
    own |= {f"engines.compose.{name}" for name in ("logs", "steps", "usage")}
    libraries |= {"docker", "requests", "subprocess", "tarfile", "urllib3"}
    assert {"http.client", "msctl.assessment"} <= found
    assert not found & {*libraries, "prometheus_client", "psutil", "rich"}
    assert not found & {f"msctl.{name}" for name in own}


def test_who_plans_loads_no_library_of_the_engine(tmp_path: Path, engine: Path) -> None:
    """The Docker SDK comes with what only it can do: pull, build, exec and logs."""
    ports = f"http: {free_port()}, https: off, tls: {{mode: off}}, dashboard: {free_port()}"
    (tmp_path / "stack.yaml").write_text(SHOP.replace("gateway: {", f"gateway: {{{ports}, "))
    found = loaded(tmp_path, "up", "--dry-run", engine=engine)
    libraries = {"aiohttp", "asyncio", "docker", "httpx", "kubernetes", "psutil"}
    assert {"msctl.engines.compose.work", "msctl.plan"} <= found
    assert not found & {*libraries, "requests", "urllib3"}
