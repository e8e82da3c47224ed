"""How an ssh:// address becomes a command, and what is told when there is no connection."""

from __future__ import annotations

import pytest

from msctl.engines.compose.api.ssh import SshFault, command, explained
from msctl.engines.compose.api.unreached import unreachable


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("ssh://lab", ["--", "lab", "docker system dial-stdio"]),
        ("ssh://me@lab:2222", ["-l", "me", "-p", "2222", "--", "lab", "docker system dial-stdio"]),
        ("ssh://me@[fd00::7]/", ["-l", "me", "--", "fd00::7", "docker system dial-stdio"]),
        (
            "ssh://lab/run/user/7/my docker.sock",
            ["--", "lab", "docker --host 'unix:///run/user/7/my docker.sock' system dial-stdio"],
        ),
        ("ssh://-oProxyCommand=x", ["--", "-oproxycommand=x", "docker system dial-stdio"]),
    ],
)
def test_an_address_is_taken_as_docker_takes_it(address: str, words: list[str]) -> None:
    """User, port and socket; nothing in it is an option of ssh, or a command of the shell there."""
    found = command(address)
    assert found[:2] == ["ssh", "-T"]
    assert found[6:] == words


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("ssh://", "no host"),
        ("ssh://me:secret@lab", "password"),
        ("ssh://lab:99999", "[Pp]ort"),
    ],
)
def test_what_is_no_address_is_refused(address: str, told: str) -> None:
    """With how one looks; a password is not told."""
    with pytest.raises(SshFault, match=told) as caught:
        command(address)
    assert "ssh://USER@HOST" in caught.value.hint
    assert "secret" not in caught.value.reason


@pytest.mark.parametrize(
    ("status", "said", "reason", "hint"),
    [
        (
            255,
            "Warning: added.\r\nme@lab: Permission denied (publickey).\r\n",
            "me@lab: Permission denied (publickey).",
            "ssh-copy-id -p 22 me@lab",
        ),
        (
            255,
            "ssh: Could not resolve hostname lab: Name or service not known",
            "Could not resolve",
            "~/.ssh/config",
        ),
        (
            1,
            "dial unix /var/run/docker.sock: connect: permission denied",
            "connect: permission denied",
            "sudo usermod -aG docker me",
        ),
        (127, "sh: 1: docker: not found", "no command docker", "docker-ce-cli"),
        (255, "ssh: connect to host lab port 22: Connection refused", "refused", "by hand"),
        (None, "", "without a word", "ssh -p 22 me@lab docker version"),
    ],
)
def test_what_ended_a_connection_is_told(
    status: int | None, said: str, reason: str, hint: str
) -> None:
    """The last that was said, and what to do about it."""
    fault = explained(status, said, "ssh://me@lab:22")
    assert reason in fault.reason
    assert hint in fault.hint


def test_the_error_is_that_of_ssh() -> None:
    """However deep the layers around it hide it."""
    try:
        try:
            raise SshFault("no key", "make one")
        except SshFault as fault:
            raise ConnectionError("aborted") from fault
    except ConnectionError as error:
        told = unreachable("ssh://lab", error)
    assert told.message == "no Docker engine answers at ssh://lab: no key"
    assert told.hint == "make one"
