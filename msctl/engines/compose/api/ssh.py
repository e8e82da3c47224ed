"""Engines at ssh:// addresses, reached as Docker's own command reaches them.

Each connection is an `ssh` that runs `docker system dial-stdio` on the other machine; the user's
keys, agent and ~/.ssh/config count.
Source: docker/cli, `cli/connhelper`.
"""

from __future__ import annotations

import shlex
from typing import Any
from urllib.parse import unquote, urlsplit

SCHEME = "ssh://"
CONNECT_TIMEOUT = 15
"""Seconds that ssh has to reach the other machine."""
_NO_COMMAND = 127
"""Exit status of a shell that does not find a command."""
_HINTS = {
    # What ssh or Docker's command says → what to do; the first that fits.
    "docker.sock": "there: sudo usermod -aG docker {user}, or start its engine",
    "IDENTIFICATION HAS CHANGED": "if that machine was set up anew: ssh-keygen -R {known}",
    "Host key verification failed": "log in once by hand, and compare its key: ssh {target}",
    "Permission denied": "let your key in: ssh-copy-id {target}; passwords are not asked for",
    "resolve hostname": "correct the address, or its Host in ~/.ssh/config",
}


class SshFault(OSError):
    """No connection; `reason` is in the words of ssh, `hint` says what to do."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


def command(address: str) -> list[str]:
    """What makes a connection to an address: `ssh://[USER@]HOST[:PORT][/SOCKET]`.

    Raises:
        SshFault: it is no such address.
    """
    parts = _parts(address)
    words = ["ssh", "-T", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_TIMEOUT}"]
    words += ["-l", unquote(parts.username)] if parts.username else []
    words += ["-p", str(parts.port)] if parts.port else []
    docker = ["docker", *(["--host", f"unix://{parts.path}"] if parts.path.strip("/") else [])]
    return [*words, "--", str(parts.hostname), shlex.join([*docker, "system", "dial-stdio"])]


def _parts(address: str) -> Any:
    hint = "write ssh://USER@HOST or ssh://USER@HOST:PORT"
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018  # asking is checking
    except ValueError as error:
        raise SshFault(str(error), hint) from None
    if not parts.hostname:
        raise SshFault("the address names no host", hint)
    if parts.password:
        raise SshFault("the address has a password in it", f"{hint}; ssh asks for a key")
    return parts


def explained(status: int | None, said: str, address: str) -> SshFault:
    """Why a connection ended, from what ssh, or Docker's command there, has printed."""
    parts = _parts(address)
    user, host = parts.username, str(parts.hostname)
    target = " ".join(
        [
            *(["-p", str(parts.port)] if parts.port else []),
            shlex.quote(f"{user}@{host}" if user else host),
        ]
    )
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    if status == _NO_COMMAND:
        hint = "install Docker's client on that machine (docker-ce-cli, docker.io)"
        return SshFault("there is no command docker on it", hint)
    hint = f"try it by hand: ssh {target} docker version"
    for sign, advice in _HINTS.items():
        if sign in said:
            known = f"[{host}]:{parts.port}" if parts.port else host
            hint = advice.format(user=user or "$USER", known=known, target=target)
            break
    return SshFault(lines[-1] if lines else "ssh ended without a word", hint)
