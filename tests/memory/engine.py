"""One command's connection to a world: the `Engine` protocol with the real planner."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from memory.deeds import Deeds
from memory.gateway import view
from memory.machine import Container
from memory.watch import MemoryWatch
from memory.world import World
from msctl.engines.base import LogLine
from msctl.engines.compose import labels
from msctl.engines.compose.desired import Desired, desired
from msctl.engines.compose.planning.planner import Planner
from msctl.engines.compose.planning.portcheck import port_key
from msctl.engines.compose.revision import Revision
from msctl.errors import EngineUnreachable, UsageProblem
from msctl.execute import Watch
from msctl.model import Stack
from msctl.plan import Step
from msctl.request import Plans, Request
from msctl.state import Detail, EngineInfo, Health, Intent, Replica, Resource, StackState, Usage

EPOCH = datetime(2030, 1, 1, tzinfo=UTC)
"""The virtual clock's zero."""
DOCKER_SOCKET = "/var/run/docker.sock"


class MemoryEngine:
    """See `msctl.engines.base.Engine`."""

    name = "compose"
    on_host = True

    def __init__(self, world: World, stack: Stack, folder: str = "/srv/shop") -> None:
        self.world = world
        self.stack = stack
        self.folder = folder
        self._whole: Desired = desired(stack, folder, self._digest)
        self._deeds = Deeds(world, stack)
        self._planner = Planner(
            stack,
            folder,
            self._digest,
            self._observe_with_ports,
            self._deeds.unavailable,
            self._check_mounts,
            lambda: lambda: world.settings,
        )

    def _digest(self, revision: Revision) -> str:
        found = [self.world.files.get(source) for source, _ in revision.bind_mounts()]
        content = "\0".join(text for text in found if text is not None)
        return hashlib.sha256(content.encode()).hexdigest() if content else ""

    def _check_mounts(self, revision: Revision) -> None:
        for source, read_only in revision.bind_mounts():
            if read_only and source not in {*self.world.files, DOCKER_SOCKET}:
                raise UsageProblem(
                    f"services.{revision.name}.volumes: {source} is not there",
                    hint="create it, or correct the path",
                )

    def _ask(self) -> None:
        if not self.world.reachable:
            raise EngineUnreachable(
                "no Docker engine answers at memory://world: Connection refused",
                hint="start it (systemctl start docker, or Docker Desktop), or set DOCKER_HOST; "
                "msctl doctor tells more",
            )

    # Observing

    def info(self) -> EngineInfo:
        self._ask()
        return EngineInfo(
            id="memory",
            version="20.10.24" if self.world.api < (1, 44) else "28.5.2",
            api=self.world.api,
            cpus=self.world.cpus,
            memory=8 << 30,
            address="memory://world",
            rootless=self.world.rootless,
        )

    def observe(self, *, detail: bool = False) -> StackState:
        return self._observe((), detail=detail)

    def _observe(self, more_images: Sequence[str], *, detail: bool = False) -> StackState:
        self._ask()
        world, project = self.world, self.stack.name
        with world.lock:
            found = [c for c in world.containers.values() if c.project == project]
            return StackState(
                project=project,
                engine=self.info(),
                containers=tuple(
                    sorted(
                        (replica_of(c, detail=detail) for c in found),
                        key=lambda r: (r.service, r.number, r.name),
                    )
                ),
                networks=_resources(world.networks),
                volumes=_resources(world.volumes),
                images={
                    image: world.images[image]
                    for image in [
                        *more_images,
                        *(revision.image for revision in self._whole.revisions.values()),
                    ]
                    if image in world.images
                },
                intents=tuple(
                    _intent(name, own)
                    for name, own in world.volumes.items()
                    if own.get(labels.PROJECT) == project and labels.INTENT in own
                ),
                secret_files=frozenset(
                    str(secret["file"])
                    for revision in self._whole.revisions.values()
                    for secret in revision.secrets.values()
                    if secret["file"] in world.secrets
                ),
                gateway=view(world, self.stack),
            )

    def _observe_with_ports(self, *images: str) -> StackState:
        state, busy = self._observe(images), dict[str, str]()
        for revision in self._whole.revisions.values():
            for port in revision.service.get("ports") or ():
                published = str(port.get("published") or "")
                if published.isdigit() and (who := self._stranger(port, int(published))):
                    busy[port_key(port)] = who
        return replace(state, busy_ports=busy)

    def _stranger(self, port: Mapping[str, str], published: int) -> str | None:
        """Who outside the project holds a port."""
        host = port.get("host_ip") or "0.0.0.0"
        who = self.world.holder_of(host, published, port["protocol"])
        ours = {
            f"container {container.name}"
            for container in self.world.containers.values()
            if container.project == self.stack.name
        }
        return None if who in ours else who

    def usage(self, state: StackState) -> Mapping[str, Usage]:
        self._ask()
        usages = self.world.usages
        return {c.id: usages[c.name] for c in state.containers if c.running and c.name in usages}

    # Planning and doing

    def plans(self, request: Request) -> Plans:
        return self._planner.plans(request)

    def desired(self, state: StackState) -> Desired:
        return self._planner.desired(state)

    def perform(self, step: Step, tell: Callable[[str], None]) -> None:
        self._ask()
        self._deeds.do(step, tell)

    @contextmanager
    def watch(self, changed: Callable[[], None]) -> Iterator[Watch]:
        self._ask()
        self.world.watchers.append(changed)
        try:
            yield MemoryWatch(self.world, self.stack, self._ask)
        finally:
            self.world.watchers.remove(changed)

    def logs(
        self,
        services: tuple[str, ...],
        *,
        follow: bool = False,  # noqa: ARG002 - the protocol's
        tail: int | None = None,
        since: datetime | None = None,
    ) -> Iterator[LogLine]:
        """`follow` ends with what is there: nothing is written while nobody lets time pass."""
        self._ask()
        lines = [
            (at, container.name, text)
            for container in self.world.containers.values()
            if container.project == self.stack.name
            and (not services or container.service in services)
            for at, text in container.log[-tail if tail else 0 :]
            if since is None or EPOCH + timedelta(seconds=at) >= since
        ]
        if tail == 0:
            lines = []
        for at, name, text in sorted(lines, key=lambda line: line[:2]):
            yield LogLine(name, text, EPOCH + timedelta(seconds=at))


def replica_of(container: Container, *, detail: bool) -> Replica:
    own = container.labels
    number = own.get(labels.NUMBER, "")
    config = container.body.get("HostConfig") or {}
    limit, nano = config.get("Memory"), config.get("NanoCpus")
    started = container.started
    return Replica(
        id=container.id,
        name=container.name,
        service=container.service,
        number=int(number) if number.isdigit() else 0,
        state=container.state,
        health=container.health if container.running else Health.NONE,
        image=container.body["Image"],
        image_id=container.image_id,
        config_hash=own.get(labels.HASH),
        revision=own.get(labels.REVISION),
        previous=own.get(labels.PREVIOUS),
        files=own.get(labels.FILES),
        ours=labels.REVISION in own,
        working_dir=own.get(labels.WORKING_DIR),
        oneoff=own.get(labels.ONEOFF) == "True",
        addresses={name: address or "" for name, address in container.networks.items()},
        routing={key: text for key, text in own.items() if key.startswith("traefik.")},
        exit_code=container.exit_code,
        ports=frozenset(
            ("" if host == "0.0.0.0" else host, port, protocol)
            for host, port, protocol in (container.published() if container.running else ())
        ),
        unnamed=container.unnamed,
        detail=Detail(
            started_at=None
            if started is None
            else (EPOCH + timedelta(seconds=started)).isoformat().replace("+00:00", "Z"),
            restarts=container.restarts,
            oom_killed=False,
            cpu_limit=nano / 1e9 if nano else None,
            memory_limit=limit,
            last_check=None,
        )
        if detail
        else None,
    )


def _resources(found: Mapping[str, Mapping[str, str]]) -> dict[str, Resource]:
    return {name: Resource(name, own.get(labels.PROJECT)) for name, own in found.items()}


def _intent(volume: str, own: Mapping[str, str]) -> Intent:
    return Intent(
        service=own[labels.INTENT_SERVICE],
        replicas=int(own[labels.INTENT]),
        cause=own[labels.INTENT_CAUSE],
        generation=int(own[labels.INTENT_GENERATION]),
        volume=volume,
    )
