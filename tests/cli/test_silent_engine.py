"""An engine that takes calls and does not answer them, or not as an engine does: every command
ends, with status 3, and says which engine that is."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle
from pathlib import Path
from typing import Literal, cast

import pytest
from terminal import SHOP, Answer, typed

from msctl.cli.app import App
from msctl.engines.compose.api import client

Manner = Literal[
    "silent", "stops", "slow", "trickles", "trickles later", "hangs up", "stutters", "no engine",
    "half an answer",
]  # fmt: skip
PATIENCE = 0.15
"""Seconds that stand for the minute that an engine has for a byte."""
BOUND = 15.0
"""Seconds after which a command is taken to hang."""
VERSION = {"ApiVersion": "1.41", "MinAPIVersion": "1.12", "Version": "20.10.24", "Components": []}
COMMANDS = [
    "up", "up --dry-run", "down", "scale api 3", "rollout api", "rollback api", "restart api",
    "secret rotate token", "status", "status --json", "status --load", "routes", "logs", "logs -f",
    "autoscale --once", "load-test web --requests 1", "dashboard",
]  # fmt: skip
MAIN = ["up", "down", "status"]


BY_TCP = " by TCP"


class Engine:
    """Listens as an engine does, at a socket or by TCP, and answers in its manner."""

    def __init__(self, path: Path, manner: str) -> None:
        if manner.endswith(BY_TCP):
            self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
            self.address = "tcp://127.0.0.1:{1}".format(*self._listener.getsockname())
        else:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(path))
            self._listener.listen(64)
            self.address = f"unix://{path}"
        self._manner = cast("Manner", manner.removesuffix(BY_TCP))
        self._open: list[socket.socket] = []
        self._ended = threading.Event()
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self._open.append(near)
                if self._ended.is_set():  # by a thread that a command has left behind
                    near.close()
                    return
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with suppress(OSError):
            while request := near.recv(65536):
                self._answer(near, request)

    def _answer(self, near: socket.socket, request: bytes) -> None:
        version = re.search(rb"GET (/v[0-9.]+)?/version ", request) is not None
        match self._manner:
            case "silent":
                return
            case "trickles":
                self._trickle(near)
            case "trickles later" if not version:
                near.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
                near.sendall(b"Content-Length: 1000000\r\n\r\n[")
                self._trickle(near)
            case "stops" | "slow" | "trickles later" if version:
                if self._manner == "slow":
                    time.sleep(PATIENCE / 2)
                body = json.dumps(VERSION).encode()
                near.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
                near.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            case "stutters":
                near.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
            case "half an answer":
                near.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
                near.close()
            case "no engine":
                near.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n<html>\x1b[2J</html>")
            case "hangs up":
                near.close()

    def _trickle(self, near: socket.socket) -> None:
        """A byte now and then, each in time."""
        for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"1" * 10_000:
            near.sendall(bytes([byte]))
            if self._ended.wait(PATIENCE / 3):
                return

    def close(self) -> None:
        self._ended.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(BOUND)
        for one in (self._listener, *self._open):
            one.close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(client, "API_TIMEOUT", PATIENCE)
    (tmp_path / "stack.yaml").write_text(
        SHOP.replace("image: web:1\n", "image: web:1\n    secrets: [token]\n").replace(
            "replicas: 2", "replicas: 2\n    autoscale: {min: 1, max: 3, rps: 10}"
        )
    )
    return tmp_path


@pytest.fixture
def engine(folder: Path, request: pytest.FixtureRequest) -> Iterator[Engine]:
    engine = Engine(folder / "e.sock", request.param)
    yield engine
    engine.close()


def msctl(folder: Path, engine: Engine, command: str) -> tuple[Answer, float]:
    """A command, and the seconds that it took."""
    environ = {"DOCKER_HOST": engine.address, "PATH": "/usr/bin:/bin"}
    app = App(environ=environ, cwd=folder, lock_folder=folder / ".locks", asks=lambda: False)
    began = time.monotonic()
    answer = typed(app, command.split())
    return answer, time.monotonic() - began


@pytest.mark.parametrize(
    ("engine", "command"),
    [
        *zip(cycle(["stops", "silent"]), COMMANDS, strict=False),
        *zip(cycle(["silent", "slow"]), MAIN * 2, strict=False),
        *zip(cycle(["trickles", "trickles later"]), [*MAIN, *COMMANDS], strict=False),
        *zip(cycle([f"silent{BY_TCP}", f"trickles later{BY_TCP}"]), MAIN * 2, strict=False),
    ],
    indirect=["engine"],
)
def test_every_command_ends(folder: Path, engine: Engine, command: str) -> None:
    """Without an answer, and with one to the first question only."""
    answer, seconds = msctl(folder, engine, command)
    assert answer.status == 3, answer
    assert f"no Docker engine answers at {engine.address}" in answer.err
    assert answer.out == ""
    assert "Traceback" not in answer.err
    assert seconds < BOUND


@pytest.mark.parametrize(
    "engine", ["silent", "stops", "trickles", "trickles later", "no engine"], indirect=True
)
def test_doctor_tells(folder: Path, engine: Engine) -> None:
    """It is a finding, and the only failure."""
    answer, seconds = msctl(folder, engine, "doctor --json")
    failed = [f for f in answer.json["findings"] if f["status"] == "fail"]
    assert (answer.status, [f["area"] for f in failed]) == (1, ["engine"])
    assert engine.address in failed[0]["message"]
    assert seconds < BOUND


@pytest.mark.parametrize(
    "engine",
    [
        *(manners := ["hangs up", "stutters", "no engine", "half an answer"]),
        *(f"{manner}{BY_TCP}" for manner in manners),
    ],
    indirect=True,
)
@pytest.mark.parametrize("command", ["up", "status"])
def test_what_is_no_engine_is_told(folder: Path, engine: Engine, command: str) -> None:
    """Something else listens there, or the engine ends in the middle of an answer."""
    answer, seconds = msctl(folder, engine, command)
    assert (answer.status, answer.out) == (3, ""), answer
    assert engine.address in answer.err
    assert "no Docker engine" in answer.err
    assert "\x1b" not in answer.err
    assert seconds < BOUND


@pytest.mark.parametrize("engine", ["silent", f"silent{BY_TCP}", "slow"], indirect=True)
@pytest.mark.parametrize("command", ["up", "status", "-q status", "routes", "up --dry-run"])
def test_who_waits_for_an_engine_is_told_so(
    folder: Path, engine: Engine, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, before it is given up, and where it is; also whoever wants to read errors only."""
    monkeypatch.setattr(client, "LATE", PATIENCE / 4)
    answer, _ = msctl(folder, engine, command)
    warnings = [line for line in answer.lines if line.startswith("warning:")]
    assert warnings == [
        f"warning: the engine at {engine.address} (DOCKER_HOST) has not answered for "
        f"{PATIENCE / 4} s; msctl waits up to {PATIENCE} s"
    ]
    assert answer.lines.index(warnings[0]) == 0


@pytest.mark.parametrize("engine", ["stops"], indirect=True)
def test_an_engine_that_answers_is_not_waited_for(folder: Path, engine: Engine) -> None:
    """Only its first answer counts: what a stack takes is shown by its steps."""
    answer, _ = msctl(folder, engine, "status")
    assert "warning:" not in answer.err
