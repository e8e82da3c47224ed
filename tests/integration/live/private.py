"""A second Docker engine, in a network of its own, that a test may stop and start."""

from __future__ import annotations

import ctypes
import os
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
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET


class PrivateEngine:
    """`dockerd` with its own socket, data and network namespace; root is needed."""

    def __init__(self, *options: str) -> None:
        # In /var/tmp: its storage driver needs a real file system, and its socket a short path.
        self._folder = Path(tempfile.mkdtemp(prefix="msctl-engine-", dir="/var/tmp"))
        self.host = f"unix://{self._folder}/docker.sock"
        self._options = options
        self._daemon: subprocess.Popen[bytes] | None = None
        self._holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        self.network = f"/proc/{self._holder.pid}/ns/net"
        self.inside = ["nsenter", f"--net={self.network}"]
        """What leads a command into the engine's network."""
        outside = os.readlink("/proc/self/ns/net")
        until(lambda: os.readlink(self.network) != outside, 5, "the network is there", every=0.01)
        subprocess.run([*self.inside, "python3", "-c", _LOOPBACK_UP], check=True, timeout=10)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        place = self._folder
        with (place / "log").open("ab") as log:
            self._daemon = subprocess.Popen(
                [
                    *self.inside,
                    "dockerd",
                    f"--host={self.host}",
                    f"--data-root={place}/data",
                    f"--exec-root={place}/exec",
                    f"--pidfile={place}/pid",
                    "--containerd-namespace=msctl-test",
                    "--containerd-plugins-namespace=msctl-test-plugins",
                    *self._options,
                ],
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
        self._holder.kill()
        self._holder.wait(timeout=10)
        subprocess.run(["umount", "--recursive", str(self._folder)], check=False)
        subprocess.run(["rm", "-rf", str(self._folder)], check=True)

    def enter(self) -> None:
        """Bring the calling thread into the engine's network."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open(self.network) as handle:
            if libc.setns(handle.fileno(), _NEW_NETWORK) != 0:
                raise OSError(ctypes.get_errno(), "setns")
