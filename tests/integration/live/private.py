"""A second Docker engine, in a network of its own, that a test may stop and start."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

import docker
from docker.errors import DockerException

from live.run import until

_LOOPBACK_UP = (
    "import fcntl, socket, struct; s = socket.socket(); "
    "fcntl.ioctl(s, 0x8914, struct.pack('16sh', b'lo', 1))"  # SIOCSIFFLAGS, IFF_UP
)
_HAND_OVER = (  # as systemd does: the socket is file 3
    "import os, sys; os.dup2(int(sys.argv[1]), 3); "
    "os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid())); "
    "os.execvp(sys.argv[2], sys.argv[2:])"
)
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET


class PrivateEngine:
    """`dockerd` with its own socket, data and network namespace; root is needed.

    As under systemd, somebody else holds the socket, so that it outlives a restart. Where the
    engine sees it, it is at the usual place, for containers that mount it from there.
    """

    def __init__(self, *options: str) -> None:
        # In /var/tmp: its storage driver needs a real file system, and its socket a short path.
        self._folder = Path(tempfile.mkdtemp(prefix="msctl-engine-", dir="/var/tmp"))
        path = f"{self._folder}/docker.sock"
        self.host = f"unix://{path}"
        self._options = options
        self._daemon: subprocess.Popen[bytes] | None = None
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(path)
        os.chmod(path, 0o660)  # as the engine makes it
        self._socket.listen(64)
        self._holder = subprocess.Popen(["unshare", "--net", "--mount", "sleep", "infinity"])
        spaces = f"/proc/{self._holder.pid}/ns"
        self.network = f"{spaces}/net"
        self.inside = ["nsenter", f"--net={self.network}"]
        """What leads a command into the engine's network."""
        self._place = ["nsenter", f"--net={self.network}", f"--mount={spaces}/mnt"]
        for kind in ("net", "mnt"):
            until(lambda: self._is_apart(kind), 5, "the namespaces are there", every=0.01)  # noqa: B023
        self._run("python3", "-c", _LOOPBACK_UP)
        self._run("mount", "--bind", path, "/var/run/docker.sock")

    def _is_apart(self, kind: str) -> bool:
        own, theirs = (f"/proc/{pid}/ns/{kind}" for pid in ("self", self._holder.pid))
        return os.readlink(own) != os.readlink(theirs)

    def _run(self, *command: str) -> None:
        subprocess.run([*self._place, *command], check=True, timeout=10)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        place, handle = self._folder, self._socket.fileno()
        command = [
            "dockerd",
            "--host=fd://",
            f"--data-root={place}/data",
            f"--exec-root={place}/exec",
            f"--pidfile={place}/pid",
            "--containerd-namespace=msctl-test",
            "--containerd-plugins-namespace=msctl-test-plugins",
            *self._options,
        ]
        with (place / "log").open("ab") as log:
            self._daemon = subprocess.Popen(
                [*self._place, "python3", "-c", _HAND_OVER, str(handle), *command],
                pass_fds=[handle],
                stdout=log,
                stderr=log,
            )
        until(self._answers, 30, f"the private engine answers (log: {place}/log)")

    def _answers(self) -> bool:
        with suppress(DockerException):
            client = self.client()
            try:
                return bool(client.ping())
            finally:
                client.close()
        return False

    def client(self) -> docker.DockerClient:
        """A client of it."""
        return docker.DockerClient(base_url=self.host, version="auto")

    def stop(self) -> None:
        """Stop it as an operator does: SIGTERM, and wait for its end."""
        assert self._daemon is not None
        self._daemon.terminate()
        self._daemon.wait(timeout=60)

    def load(self, source: docker.DockerClient, *images: str) -> None:
        """Have these images of another engine."""
        client = self.client()
        for image in images:
            client.images.load(source.api.get_image(image))
        client.close()

    def close(self) -> None:
        """End it, and remove all that it had."""
        client = self.client()
        for container in client.containers.list(all=True):
            container.remove(force=True, v=True)
        client.close()
        self.stop()
        self._socket.close()
        self._holder.kill()
        self._holder.wait(timeout=10)
        subprocess.run(["rm", "-rf", str(self._folder)], check=True)

    def enter(self) -> None:
        """Bring the calling thread into the engine's network."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open(self.network) as handle:
            if libc.setns(handle.fileno(), _NEW_NETWORK) != 0:
                raise OSError(ctypes.get_errno(), "setns")
