"""The machine: containers, networks, volumes, images, secrets and a clock, in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from memory.faults import Fault
from memory.machine import Behaviour, Container, Refused
from msctl.engines.compose import labels
from msctl.plan import Step
from msctl.state import GatewaySettings, ImageState, Usage

LONGEST_STEP = 1.0
"""Seconds that the clock moves at the most while nothing changes."""


@dataclass
class World:
    """What a Docker engine knows, and what a test says about it.

    Every call takes the world's lock, so that an executor's threads may share it. Time is virtual:
    it moves only when somebody waits, or when an action is said to be slow.
    """

    cpus: int = 8
    rootless: bool = False
    api: tuple[int, int] = (1, 41)
    now: float = 0.0
    containers: dict[str, Container] = field(default_factory=dict)
    networks: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """Labels by name."""
    volumes: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """Labels by name."""
    images: dict[str, ImageState] = field(default_factory=dict)
    registry: dict[str, ImageState] = field(default_factory=dict)
    """What a pull gives."""
    broken_builds: set[str] = field(default_factory=set)
    """Images whose build fails."""
    secrets: dict[str, str] = field(default_factory=dict)
    """Content by path."""
    told: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    """Who was told a secret's new value, and by which command."""
    files: dict[str, str] = field(default_factory=dict)
    """Content of mounted files by path."""
    processes: dict[tuple[int, str], str] = field(default_factory=dict)
    """Processes of the host by the port and protocol that they hold."""
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    """By the name of a container, a service or an image; the first of them wins."""
    reachable: bool = True
    gateway_answers: bool = True
    gateway_lag: float = 0.2
    """Seconds between a replica's health and the gateway's listing of it."""
    kept: dict[str, str] = field(default_factory=dict)
    """Ids of the images that a tag keeps, by tag."""
    pins: dict[tuple[str, str, str], tuple[str, ...]] = field(default_factory=dict)
    """URLs of the servers that get a service's traffic, by project, service and slot."""
    probes: dict[str, str] = field(default_factory=dict)
    """URL of the server that a probe leads to, by container."""
    settings: GatewaySettings = field(default_factory=lambda: GatewaySettings(""))
    """The gateway's own, of the one stack that has any."""
    settings_made: str = "5e77145e7714"
    """Digest of the settings, once certificate and passwords have been made."""
    usages: dict[str, Usage] = field(default_factory=dict)
    """What containers take of the machine, by name; the others do not tell."""
    faults: list[Fault] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    """The lines of the actions that were done, in their order."""
    tried: int = 0
    """Actions that were tried."""
    watchers: list[Callable[[], None]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _made: int = 0
    _subnets: dict[str, int] = field(default_factory=dict)

    def clock(self) -> float:
        return self.now

    # What a test says

    def have(self, *references: str, health_check: bool = False) -> World:
        """Images that are present."""
        for reference in references:
            self.images[reference] = ImageState(f"sha256:{reference}", False, health_check)
        return self

    def behave(self, name: str, behaviour: Behaviour) -> World:
        self.behaviours[name] = behaviour
        return self

    def plant(self, fault: Fault) -> World:
        self.faults.append(fault)
        return self

    def named(self, *services: str) -> list[str]:
        """Names of the containers (of the services), by service and number."""
        found = [c for c in self.containers.values() if not services or c.service in services]
        found.sort(key=lambda c: (c.service, int(c.labels.get(labels.NUMBER, 0))))
        return [container.name for container in found]

    def disown(self) -> None:
        """Take msctl's labels off every container, as if Docker Compose had made them all."""
        for container in self.containers.values():
            kept = {k: v for k, v in container.labels.items() if not k.startswith("dev.msctl.")}
            container.body = {**container.body, "Labels": kept}
        self.volumes = {name: own for name, own in self.volumes.items() if labels.INTENT not in own}

    def snapshot(self) -> tuple[object, ...]:
        """All that a command could change; equal before and after where nothing was changed."""
        return (
            {name: (c.id, c.state) for name, c in self.containers.items()},
            dict(self.networks),
            dict(self.volumes),
            dict(self.images),
            dict(self.secrets),
            tuple(self.log),
        )

    # Time

    def advance(self, seconds: float) -> None:
        """Move the clock; what is due on the way happens at its time."""
        with self.lock:
            until = self.now + seconds
            while due := self._due(until):
                at, container = due
                self.now = max(self.now, at)
                container.change(self.now)
                if container.running and None in container.networks.values():
                    self._give_addresses(container)
            self.now = until
        self.tell_watchers()

    def pass_time(self) -> None:
        """Move the clock to the next change, or a little where none is near."""
        with self.lock:
            due = self._due(self.now + LONGEST_STEP)
            seconds = max(due[0] - self.now, 0.0) if due else LONGEST_STEP
            # The gateway's list changes a while after a replica's health does.
            self.advance(min(seconds, self.gateway_lag) if self.gateway_lag else seconds)

    def _due(self, until: float) -> tuple[float, Container] | None:
        changes = [
            (at, container)
            for container in self.containers.values()
            if (at := container.next_change()) is not None and at <= until
        ]
        return min(changes, key=lambda change: (change[0], change[1].name), default=None)

    def tell_watchers(self) -> None:
        for changed in list(self.watchers):
            changed()

    # The engine's calls

    @contextmanager
    def action(self, step: Step) -> Iterator[Callable[[], None]]:
        """An action under the world's lock, with the faults that are planted for it.

        Gives a function that is called between the halves of an action of two.
        """
        with self.lock:
            self.tried += 1
            struck = next((f for f in self.faults if f.meets(self.tried, step)), None)
            if struck is not None:
                self.faults.remove(struck)
                self.advance(struck.seconds)
                if struck.when == "before":
                    struck.strike(step)

            def halfway() -> None:
                if struck is not None and struck.when == "within":
                    struck.strike(step)

            yield halfway
            self.log.append(step.line())
            if struck is not None and struck.when == "after":
                struck.strike(step)
        self.tell_watchers()

    def create(self, name: str, body: Mapping[str, Any], networks: Iterable[str]) -> Container:
        """`POST /containers/create`; a network that does not exist is noticed at the start."""
        if name in self.containers:
            raise Refused(f"Conflict. The container name '/{name}' is already in use")
        wanted = body["Image"]
        by_id = (image for image in self.images.values() if image.id == wanted)
        image = self.images.get(wanted) or next(by_id, None)
        if image is None:
            raise Refused(f"No such image: {body['Image']}")
        for mount in (body.get("HostConfig") or {}).get("Mounts") or ():
            if mount["Type"] == "volume" and mount.get("Source"):
                self.volumes.setdefault(mount["Source"], {})
            source = mount.get("Source")
            if mount["Type"] == "bind" and source not in self.secrets and source not in self.files:
                raise Refused(f"bind source path does not exist: {source}")
        test = (body.get("Healthcheck") or {}).get("Test")
        self._made += 1
        container = Container(
            id=f"{self._made:064x}",
            name=name,
            body=body,
            image_id=image.id,
            checked=test != ["NONE"] if test else image.health_check,
            networks=dict.fromkeys(networks),
        )
        self.containers[name] = container
        return container

    def connect(self, container: Container, network: str) -> None:
        if network not in self.networks:
            raise Refused(f"network {network} not found")
        container.networks[network] = None

    def start(self, name: str) -> None:
        container = self._container(name)
        if container.running:
            return
        for network in container.networks:
            if network not in self.networks:
                raise Refused(f"network {network} not found")
        for host, port, protocol in container.published():
            if holder := self.holder_of(host, port, protocol, but=container):
                raise Refused(
                    f"Bind for {host}:{port} failed: port is already allocated ({holder})"
                )
        names = (container.name, container.service, container.body["Image"])
        container.behaviour = next(
            (self.behaviours[key] for key in names if key in self.behaviours), Behaviour()
        )
        container.start(self.now)
        self._give_addresses(container)

    def stop(self, name: str) -> None:
        """A container that does not run stays as it is."""
        container = self.containers.get(name)
        if container is None:
            raise Refused(f"No such container: {name}")
        if container.state in ("running", "paused", "restarting"):
            container.end(143)

    def kill(self, name: str, code: int = 137) -> None:
        """The container's process dies by itself and is not started again."""
        with self.lock:
            self._container(name).end(code)
        self.tell_watchers()

    def remove(self, name: str) -> None:
        container = self._container(name)
        if container.state in ("running", "paused", "restarting"):
            raise Refused(f"You cannot remove a running container {container.id[:12]}")
        del self.containers[name]

    def remove_network(self, name: str) -> None:
        if name not in self.networks:
            raise Refused(f"No such network: {name}")
        users = [c.name for c in self.containers.values() if c.running and name in c.networks]
        if users:
            raise Refused(f"network {name} has active endpoints ({', '.join(users)})")
        del self.networks[name]

    def remove_volume(self, name: str) -> None:
        if name not in self.volumes:
            raise Refused(f"No such volume: {name}")
        users = [c.name for c in self.containers.values() if name in c.volumes]
        if users:
            raise Refused(f"remove {name}: volume is in use ({', '.join(users)})")
        del self.volumes[name]

    def holder_of(
        self, host: str, port: int, protocol: str, *, but: Container | None = None
    ) -> str | None:
        """Who holds a port of the host."""
        if process := self.processes.get((port, protocol)):
            return process
        for container in self.containers.values():
            if container is but or not container.running:
                continue
            for other, taken, its_protocol in container.published():
                same = taken == port and its_protocol == protocol
                if same and (other == host or "0.0.0.0" in (other, host)):
                    return f"container {container.name}"
        return None

    def _container(self, name: str) -> Container:
        if name not in self.containers:
            raise Refused(f"No such container: {name}")
        return self.containers[name]

    def _give_addresses(self, container: Container) -> None:
        for network in container.networks:
            taken = {c.networks.get(network) for c in self.containers.values()}
            subnet = self._subnets.setdefault(network, 20 + len(self._subnets))
            free = (f"172.{subnet}.{host // 256}.{host % 256}" for host in range(2, 65536))
            container.networks[network] = next(a for a in free if a not in taken)
