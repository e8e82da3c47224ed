"""Where buildx is found, and what it is told."""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer

import pytest

from msctl.engines.compose.api import client
from msctl.engines.compose.api.client import Client
from msctl.engines.compose.api.endpoint import Endpoint
from msctl.engines.compose.deeds import building, buildx
from msctl.engines.compose.deeds.building import build
from msctl.engines.compose.deeds.buildx import arguments, environment, find
from msctl.engines.compose.deeds.order import BuildFailed, Order
from msctl.errors import EngineUnreachable, StepFailed


def put(folder: Path, script: str = "exit 0") -> Path:
    """A program in the place of buildx."""
    folder.mkdir(parents=True)
    program = folder / "docker-buildx"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


def test_it_is_found_as_docker_finds_it(tmp_path: Path) -> None:
    """A folder that Docker's configuration names, the user's plugins, the system's, the PATH."""
    system = (str(tmp_path / "system"),)
    environ = {"HOME": str(tmp_path), "PATH": str(tmp_path / "bin")}
    assert find(environ, system) is None
    for place in ("bin", "system", ".docker/cli-plugins", "extra"):
        program = put(tmp_path / place)
        if place == "extra":
            config = {"cliPluginsExtraDirs": [str(tmp_path / "extra")]}
            (tmp_path / ".docker" / "config.json").write_text(json.dumps(config))
        assert find(environ, system) == program
    assert find({**environ, "DOCKER_BUILDKIT": "1"}, system) == tmp_path / "extra/docker-buildx"
    assert find({**environ, "DOCKER_BUILDKIT": "0"}, system) is None
    (tmp_path / ".docker" / "config.json").write_text("[")
    assert find(environ, system) == tmp_path / ".docker/cli-plugins/docker-buildx"


def test_a_build_is_told_whole(tmp_path: Path) -> None:
    """With its Dockerfile in its context, its arguments and its target; the image ends up on the
    engine. What needs no folder comes by standard input."""
    build = {
        "context": str(tmp_path),
        "dockerfile": "prod.Dockerfile",
        "args": {"A": 1, "LEFT": None},
        "target": "final",
    }
    assert arguments(Order.of("shop/web:1", build)) == [
        "build", "--load", "--progress=plain", "--tag=shop/web:1", "--build-arg=A=1",
        "--target=final", f"--file={tmp_path}/prod.Dockerfile", str(tmp_path),
    ]  # fmt: skip
    inline = Order.of("shop/web:1", {"dockerfile_inline": "FROM scratch"})
    assert inline.given == b"FROM scratch"
    assert arguments(inline)[-1] == "-"


def test_it_builds_on_the_engine_of_msctl() -> None:
    """By that engine's own builder, unless another one is named."""
    socket = environment(Endpoint("unix:///run/user/7/docker.sock", ""), {})
    assert socket["DOCKER_HOST"] == "unix:///run/user/7/docker.sock"
    assert socket["BUILDX_BUILDER"] == "default"
    context = environment(Endpoint("ssh://lab", "context lab"), {"DOCKER_HOST": ""})
    assert (context["DOCKER_CONTEXT"], context["BUILDX_BUILDER"]) == ("lab", "lab")
    chosen = environment(Endpoint("tcp://lab", "DOCKER_HOST"), {"BUILDX_BUILDER": "farm"})
    assert chosen["BUILDX_BUILDER"] == "farm"


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for buildx")
def test_lines_come_with_the_reason_of_a_failure(tmp_path: Path) -> None:
    """Every line as it comes; the reason is what buildx calls the error, else its status."""
    place, order = Endpoint("unix:///x", ""), Order("web", given=b"FROM scratch")
    script = "echo '#1 one' >&2\ncat >&2\necho >&2\necho 'ERROR: failed to solve: no' >&2\nexit 1"
    lines = buildx.build(put(tmp_path / "a", script), order, place, {})
    assert next(lines) == "#1 one\n"
    assert next(lines).startswith("FROM scratch")
    with pytest.raises(BuildFailed, match=r"^failed to solve: no$"):
        list(lines)
    with pytest.raises(BuildFailed, match="status 7"):
        list(buildx.build(put(tmp_path / "b", "exit 7"), order, place, {}))


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for buildx")
def test_a_build_that_nobody_waits_for_is_ended(tmp_path: Path) -> None:
    """Ctrl-C leaves no buildx behind."""
    end = tmp_path / "ended"
    script = f"trap 'touch {end}; exit 1' TERM\necho begun >&2\nsleep 60 & wait"
    lines = buildx.build(put(tmp_path / "a", script), Order("web"), Endpoint("x", ""), {})
    assert next(lines) == "begun\n"
    lines.close()
    assert end.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for buildx")
def test_a_build_that_says_nothing_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By buildx: it is ended, and what it said before is told."""
    program = put(tmp_path / "a", "echo '#1 RUN make' >&2\nexec sleep 60")
    monkeypatch.setattr(building, "SILENT_BUILD", 0.5)
    monkeypatch.setattr(buildx, "find", lambda _: program)
    monkeypatch.setattr(building, "is_podman", lambda _: False)
    told: list[str] = []
    with pytest.raises(
        StepFailed, match=r"build of web failed: it said nothing for 0\.5 s"
    ) as error:
        build(Client({"DOCKER_HOST": f"unix://{tmp_path}/none"}), Order("web"), told.append)
    assert told == ["#1 RUN make"] == list(error.value.log)


@pytest.mark.parametrize("speaks", [True, False], ids=["silent", "gone"])
def test_a_build_of_a_silent_engine_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, speaks: bool
) -> None:
    """After its time, which is that of a compiler and not of an answer; an engine that goes away
    is no silent build."""
    monkeypatch.setattr(building, "SILENT_BUILD", 1)
    monkeypatch.setattr(client, "API_TIMEOUT", 0.2)
    ended = threading.Event()

    class Engine(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = b'{"ApiVersion": "1.41"}'
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))

        def do_POST(self) -> None:
            line = b'{"stream": "Step 1/2 : RUN make\\n"}\r\n'
            self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
            if speaks:
                ended.wait(20)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingUnixStreamServer(str(tmp_path / "e.sock"), Engine)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environ = {"DOCKER_HOST": f"unix://{tmp_path}/e.sock", "DOCKER_BUILDKIT": "0"}
    wanted = (StepFailed, "said nothing for 1 s") if speaks else (EngineUnreachable, "No|no")
    told: list[str] = []
    try:
        with pytest.raises(wanted[0], match=wanted[1]):
            build(Client(environ), Order("web", given=b"FROM scratch"), told.append)
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
    assert told == ["Step 1/2 : RUN make"]
