"""The engine by ssh, with the real ssh and a server on loopback."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from live import SAMPLE, Stack, service, until
from live.sshd import SERVER, Sshd
from live.wire import ENGINE

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(os.geteuid() != 0, reason="an ssh server is started, as root"),
    pytest.mark.skipif(SERVER is None, reason="openssh-server is not installed"),
    pytest.mark.skipif(shutil.which("docker") is None, reason="Docker's command is not installed"),
]


@pytest.fixture
def sshd(stack: Stack) -> Iterator[Sshd]:
    """A server, which the stack's commands reach."""
    server = Sshd(stack.folder / "sshd")
    stack.env["DOCKER_HOST"] = server.address
    stack.env["PATH"] = f"{server.path}:{stack.env['PATH']}"
    yield server
    server.close()


@pytest.mark.soak
def test_a_stack_by_ssh(stack: Stack, sshd: Sshd) -> None:
    """It is built, comes up, is scaled, looked at and goes, all by ssh; nothing that made a
    connection outlives its command."""
    (stack.folder / "Dockerfile").write_text(f"FROM {SAMPLE}\nLABEL by=ssh\n")
    stack.write({"web": service(image=f"{stack.project}-own:1", build=".")})
    up = stack.ok("up", "--build")
    assert "await healthy" in up.err
    assert sshd.connections() > 0
    stack.ok("scale", "web", "2")
    status = json.loads(stack.ok("status", "--json", "--load").out)
    assert {r["health"] for s in status["services"] for r in s["replicas"]} == {"healthy"}
    assert "serves HTTP" in stack.ok("logs", "--tail", "5").out
    stack.ok("down")
    until(lambda: not children(sshd), 30, "every ssh has ended")


def test_a_context_by_ssh(stack: Stack, sshd: Sshd) -> None:
    """A context that is in use leads to the same engine, by a Host of ssh's configuration."""
    home = stack.folder / "home"
    folder = home / ".docker" / "contexts" / "meta" / hashlib.sha256(b"far").hexdigest()
    folder.mkdir(parents=True)
    docker = {"Host": f"ssh://lab{ENGINE}"}
    meta = {"Name": "far", "Metadata": {}, "Endpoints": {"docker": docker}}
    (folder / "meta.json").write_text(json.dumps(meta))
    (home / ".docker" / "config.json").write_text(json.dumps({"currentContext": "far"}))
    stack.write({"web": service()})
    by_context = {"HOME": str(home), "DOCKER_HOST": "", "DOCKER_CONFIG": ""}
    found = stack.msctl("doctor", **by_context)
    assert f"at ssh://lab{ENGINE}" in found.out + found.err, found
    assert sshd.connections() > 0
    sshd.close()
    away = stack.msctl("status", **by_context)
    assert away.status == 3
    assert f"no Docker engine answers at ssh://lab{ENGINE} (context far): ssh: connect" in away.err


def without_ssh(sshd: Sshd) -> None:
    (sshd.path / "ssh").unlink()


def with_another_key(sshd: Sshd) -> None:
    (sshd.folder / "authorized").write_text("")


def unknown(sshd: Sshd) -> None:
    sshd.known.write_text("")


def changed(sshd: Sshd) -> None:
    sshd.trust((sshd.folder / "key.pub").read_text())


def without_docker(sshd: Sshd) -> None:
    """Whoever logs in has no PATH."""
    with (sshd.folder / "authorized").open("r+") as file:
        line = file.read()
        file.seek(0)
        file.write(f'command="PATH=/nowhere; eval $SSH_ORIGINAL_COMMAND" {line}')


@pytest.mark.parametrize(
    ("circumstance", "told", "advice"),
    [
        (without_ssh, "there is no command ssh here", "install OpenSSH's client"),
        (with_another_key, "Permission denied (publickey", "ssh-copy-id -p {port} root@127.0.0.1"),
        (unknown, "Host key verification failed", "compare its key: ssh -p {port} root@127.0.0.1"),
        (changed, "Host key verification failed", "ssh-keygen -R [127.0.0.1]:{port}"),
        (without_docker, "there is no command docker on it", "docker-ce-cli"),
    ],
)
def test_what_stands_in_the_way_is_told(
    stack: Stack, sshd: Sshd, circumstance: Callable[[Sshd], None], told: str, advice: str
) -> None:
    """In ssh's own words, with status 3 and what to do about it."""
    circumstance(sshd)
    stack.write({"web": service()})
    result = stack.msctl("status", PATH=str(sshd.path))
    assert result.status == 3, result
    assert told in result.err
    assert advice.format(port=sshd.port) in result.err


def children(sshd: Sshd) -> list[str]:
    """Processes of `ssh` that lead to this server."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                words = (process / "cmdline").read_bytes().decode().split("\0")
            except OSError:
                continue
            if str(sshd.port) in words and words[0].endswith("ssh"):
                found.append(" ".join(words))
    return found
