"""A replica as the gateway reaches it."""

from __future__ import annotations

from collections.abc import Mapping

from msctl.frozen import dataclass


@dataclass(frozen=True)
class Server:
    """A replica as the gateway reaches it; its address is known when it runs."""

    container: str
    network: str
    """The engine's name of the network."""
    port: int

    @classmethod
    def by_labels(cls, container: str, service: str, labels: Mapping[str, str]) -> Server | None:
        """How the gateway reaches a container with these labels; None when it does not."""
        port = labels.get(f"traefik.http.services.{service}.loadbalancer.server.port")
        network = labels.get("traefik.docker.network")
        return cls(container, network, int(port)) if port and network else None
