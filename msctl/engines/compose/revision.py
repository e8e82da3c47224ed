"""A revision: one rendered service with all that it refers to, as a container carries it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from msctl.engines.compose.servers import Server
from msctl.frozen import dataclass
from msctl.model import DOCKER_SOCKET
from msctl.render.canonical.confighash import config_hash
from msctl.render.socketproxy import GATEWAY_SOCKET


@dataclass(frozen=True)
class Previous:
    """The revision before the one that a container was made from."""

    revision: str
    """As JSON."""
    image_id: str
    files: str

    @classmethod
    def from_json(cls, text: str) -> Previous:
        """Raises:
        ValueError: the text is not what `to_json` writes.
        """
        found = json.loads(text)
        keys = ("revision", "image", "files")
        if not isinstance(found, dict) or not all(isinstance(found.get(k), str) for k in keys):
            raise ValueError("not a revision before")
        return cls(*(found[key] for key in keys))

    def to_json(self) -> str:
        return json.dumps({"revision": self.revision, "image": self.image_id, "files": self.files})


@dataclass(frozen=True)
class Revision:
    """A service in Compose's normalised form, and the networks, volumes and secrets it names."""

    name: str
    service: Mapping[str, Any]
    networks: Mapping[str, Mapping[str, Any]]
    volumes: Mapping[str, Mapping[str, Any]]
    secrets: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, canonical: Mapping[str, Any], name: str) -> Revision:
        """The revision of a service of a canonical document (see `msctl.render.canonical`)."""
        service = canonical["services"][name]
        mounts = service.get("volumes") or ()
        used = {
            "networks": set(service.get("networks") or ()),
            "volumes": {m["source"] for m in mounts if m["type"] == "volume" and m.get("source")},
            "secrets": {secret["source"] for secret in service.get("secrets") or ()},
        }
        return cls(
            name,
            service,
            **{
                kind: {key: canonical[kind][key] or {} for key in sorted(keys)}
                for kind, keys in used.items()
            },
        )

    @classmethod
    def from_json(cls, name: str, text: str) -> Revision:
        """Raises:
        ValueError: the text is not what `to_json` writes.
        """
        found = json.loads(text)
        kinds = ("service", "networks", "volumes", "secrets")
        if not isinstance(found, dict) or any(not isinstance(found.get(k), dict) for k in kinds):
            raise ValueError("not a revision")
        return cls(name, **{kind: found[kind] for kind in kinds})

    def to_json(self) -> str:
        return json.dumps(
            {
                "service": self.service,
                "networks": self.networks,
                "volumes": self.volumes,
                "secrets": self.secrets,
            },
            sort_keys=True,
            separators=(",", ":"),
        )

    def with_image(self, image: str) -> Revision:
        return replace(self, service={**self.service, "image": image})

    @cached_property
    def hash(self) -> str:
        """What `docker compose config --hash` prints for the service."""
        return config_hash(self.service)

    @property
    def image(self) -> str:
        return str(self.service["image"])

    def network_names(self) -> tuple[str, ...]:
        """The engine's names of its networks; the one with the highest priority first."""
        wanted = self.service.get("networks") or {}
        keys = sorted(wanted, key=lambda key: (-((wanted[key] or {}).get("priority") or 0), key))
        return tuple(str(self.networks[key].get("name", key)) for key in keys)

    def volume_names(self) -> tuple[str, ...]:
        """The engine's names of its named volumes."""
        return tuple(str(volume.get("name", key)) for key, volume in self.volumes.items())

    def bind_mounts(self) -> tuple[tuple[str, bool], ...]:
        """Absolute paths on the host that are mounted, and whether read-only; without secrets."""
        mounts = self.service.get("volumes") or ()
        return tuple(
            (str(m["source"]), bool(m.get("read_only"))) for m in mounts if m["type"] == "bind"
        )

    @property
    def sockets(self) -> frozenset[str]:
        """Of the paths that are mounted, those of the engine's socket: on its own machine."""
        mounts = self.service.get("volumes") or ()
        return frozenset(
            str(m["source"])
            for m in mounts
            if m["type"] == "bind" and m["target"] in (DOCKER_SOCKET, GATEWAY_SOCKET)
        )

    def host_ports(self) -> frozenset[tuple[str, str]]:
        """The ports and protocols of the host that it publishes, where it names them."""
        ports = self.service.get("ports") or ()
        return frozenset(
            (str(port["published"]), str(port.get("protocol")))
            for port in ports
            if port.get("published")
        )

    def gateway_labels(self) -> Mapping[str, str]:
        """What the gateway reads; replicas of a service that it lists agree on all of it."""
        labels = self.service.get("labels") or {}
        return {key: text for key, text in labels.items() if key.startswith("traefik.")}

    @property
    def is_routed(self) -> bool:
        """Whether the gateway leads to it."""
        return self.server("") is not None

    def server(self, container: str) -> Server | None:
        """How the gateway reaches a container of this revision; None when it does not."""
        return Server.by_labels(container, self.name, self.gateway_labels())
