"""An ssh server of this machine, with a key, a port and a known host of its own."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from live.ports import free_port
from live.wire import ENGINE

SERVER = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")


class Sshd:
    """Leads those with the key to the engine's socket; root is needed.

    The real `ssh` finds the key by a configuration of its own: it is no user's.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder, self.port = folder, free_port()
        self.address = f"ssh://root@127.0.0.1:{self.port}{ENGINE}"
        self.key, self.known = folder / "key", folder / "known_hosts"
        for key in (self.key, folder / "host"):
            self._run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
        shutil.copy(folder / "key.pub", folder / "authorized")
        self.trust((folder / "host.pub").read_text())
        (folder / "ssh_config").write_text(
            f"Host *\n  IdentityFile {self.key}\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {self.known}\n  GlobalKnownHostsFile /dev/null\n"
            f"Host lab\n  HostName 127.0.0.1\n  Port {self.port}\n  User root\n"
        )
        (folder / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\n"
            f"AuthorizedKeysFile {folder}/authorized\nStrictModes no\nUsePAM no\n"
            "PermitRootLogin prohibit-password\nPasswordAuthentication no\nPidFile none\n"
        )
        self.path = folder / "bin"
        """A folder for the PATH, with an `ssh` that knows the key and the host."""
        self.path.mkdir()
        ssh = self.path / "ssh"
        ssh.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/ssh_config "$@"\n')
        ssh.chmod(0o755)
        Path("/run/sshd").mkdir(exist_ok=True)  # where the server has its empty root
        self._log = (folder / "log").open("wb")
        self._server = subprocess.Popen(
            [str(SERVER), "-D", "-e", "-f", str(folder / "sshd_config")], stderr=self._log
        )
        self._await()

    @staticmethod
    def _run(*command: str) -> None:
        subprocess.run(command, check=True, timeout=20)

    def trust(self, key: str) -> None:
        """Know the server by a public key."""
        self.known.write_text(f"[127.0.0.1]:{self.port} {key}")

    def _await(self) -> None:
        for _ in range(100):
            assert self._server.poll() is None, (self.folder / "log").read_text()
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.1)
        raise AssertionError("sshd does not listen")

    def connections(self) -> int:
        """How many have come so far."""
        return (self.folder / "log").read_text().count("Accepted publickey")

    def close(self) -> None:
        self._server.terminate()
        self._server.wait(timeout=10)
        self._log.close()
