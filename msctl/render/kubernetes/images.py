"""What msctl knows of well-known images, and no image tells by itself.

Users and ports: the images' own Dockerfiles, on Docker Hub.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class KnownImage:
    """What an image needs on Kubernetes."""

    user: int
    """Whom it can run as from the start: with root it would change the owner of its volume."""
    group: int
    ports: Mapping[str, int] = field(default_factory=dict)
    """Ports that it listens on, by name."""
    env: Mapping[str, str] = field(default_factory=dict)
    """What it has to be told."""


GATEWAY_USER = 65532
"""Traefik needs no user in particular; this one is `nonroot` of the distroless images."""
_KNOWN: Mapping[str, KnownImage] = {
    "postgres": KnownImage(
        999,
        999,
        {"postgres": 5432},
        # Not the root of a volume: that holds `lost+found`, and is not the user's own.
        {"PGDATA": "/var/lib/postgresql/data/pgdata"},
    ),
    "mongo": KnownImage(999, 999, {"mongo": 27017}),
    "rabbitmq": KnownImage(999, 999, {"amqp": 5672, "management": 15672}),
    "prom/prometheus": KnownImage(65534, 65534, {"http": 9090}),
    # Its group is root's, as everything in the image is.
    "grafana/grafana": KnownImage(472, 0, {"http": 3000}),
}


def known(image: str) -> KnownImage | None:
    """What is known of an image, whatever its version."""
    name = image.partition("@")[0]
    head, slash, tail = name.rpartition("/")
    name = f"{head}{slash}{tail.partition(':')[0]}"
    return _KNOWN.get(name.removeprefix("docker.io/").removeprefix("library/"))
