"""Tells when a wait is over; looking lets virtual time pass."""

from __future__ import annotations

from collections.abc import Callable

from memory.gateway import view
from memory.machine import Container
from memory.world import World
from msctl.engines.compose.servers import Server
from msctl.engines.compose.settingsteps import AwaitSettings, AwaitSettingsEnd
from msctl.engines.compose.steps import (
    AwaitCheck,
    AwaitCompleted,
    AwaitHealthy,
    AwaitPinned,
    AwaitProbe,
    AwaitRouted,
    AwaitServers,
    AwaitSteady,
    AwaitUnpinned,
    Drain,
)
from msctl.errors import StepFailed
from msctl.model import Stack
from msctl.plan import Wait
from msctl.state import Health

SETTLE = 0.5
"""Seconds that a container without a health check has to keep running."""
DEATHS = 3
"""Deaths after which a container that is restarted again and again is given up."""


class MemoryWatch:
    """See `msctl.execute.Watch`."""

    def __init__(self, world: World, stack: Stack, ask: Callable[[], None]) -> None:
        self.world = world
        self.stack = stack
        self._ask = ask
        self._begun: dict[int, float] = {}
        self._lasting: set[tuple[str, str]] = set()

    def reached(self, wait: Wait) -> bool:
        self._ask()
        if self._is_over(wait):
            return True
        self.world.pass_time()
        return self._is_over(wait)

    def _is_over(self, wait: Wait) -> bool:
        with self.world.lock:
            match wait:
                case AwaitCheck():
                    return self._is_healthy(wait) or self._passes(wait)
                case AwaitHealthy():
                    return self._is_healthy(wait)
                case AwaitCompleted():
                    return self._is_completed(wait)
                case AwaitSteady():
                    return self._is_healthy(wait) and self._has_passed(wait)
                case Drain():
                    return self._has_passed(wait)
                case AwaitProbe():
                    container = self.world.containers.get(wait.target)
                    return wait.target in self.world.probes and self._answers(container)
            return self._gateway_reached(wait)

    def _gateway_reached(self, wait: Wait) -> bool:
        gateway = view(self.world, self.stack)
        if gateway is None or not gateway.answered:
            return False
        labelled = gateway.servers.get(f"{wait.service}@docker", {})
        match wait:
            case AwaitRouted():
                return self._url(Server(wait.target, wait.network, wait.port)) in labelled
            case AwaitPinned():
                pinned = gateway.servers.get(f"{wait.service}-{wait.slot}@file")
                expected = {self._url(server) for server in wait.servers}
                return pinned is not None and pinned.keys() == expected
            case AwaitSettings():
                return wait.digest in self.world.settings.present
            case AwaitSettingsEnd():
                return wait.digest not in self.world.settings.present
            case AwaitUnpinned():
                return f"{wait.service}-{wait.slot}@file" not in gateway.servers
            case AwaitServers():
                expected = {self._url(server) for server in wait.servers}
                return expected <= labelled.keys() <= self._living(wait.service)
        raise TypeError(f"cannot wait for {type(wait).__name__}")

    def _url(self, server: Server) -> str:
        container = self.world.containers.get(server.container)
        address = container.networks.get(server.network) if container else None
        return f"http://{address or server.container}:{server.port}"

    def _living(self, service: str) -> set[str]:
        """The URLs by which the gateway could list a service's running replicas."""
        key = f"traefik.http.services.{service}.loadbalancer.server.port"
        found = [c for c in self.world.containers.values() if c.running and key in c.labels]
        networks = [c.networks.get(c.labels["traefik.docker.network"]) for c in found]
        return {
            f"http://{address}:{c.labels[key]}" for c, address in zip(found, networks, strict=True)
        }

    def _answers(self, container: Container | None) -> bool:
        """Whether the process would answer its health check."""
        if container is None or not container.running or container.started is None:
            return False
        after = container.behaviour.healthy_after
        return after is not None and self.world.now >= container.started + after

    def _passes(self, wait: AwaitCheck) -> bool:
        """Whether msctl's own check passes, which it leaves to the engine where data are set up."""
        container = self.world.containers[wait.target]
        return self._answers(container) and not container.volumes - wait.filled

    def _has_passed(self, wait: AwaitSteady | Drain) -> bool:
        begun = self._begun.setdefault(id(wait), self.world.now)
        return self.world.now - begun >= wait.seconds

    def _is_healthy(self, wait: AwaitHealthy | AwaitSteady) -> bool:
        container = self.world.containers.get(wait.target)
        if container is None:
            return False
        again = isinstance(wait, AwaitSteady) and container.restarts > 0
        ended = again or container.state in ("exited", "dead")
        if ended or container.restarts + (container.state == "restarting") >= DEATHS:
            deaths = container.restarts + (not container.running)
            times = f", {deaths} times" if deaths > 1 else ""
            raise StepFailed(
                f"{wait.target} ended with status {container.exit_code}{times}",
                hint=f"msctl logs {wait.service}",
                log=_last_lines(container),
            )
        if not container.running or container.started is None:
            return False
        if wait.checked:
            return container.health is Health.HEALTHY
        lasts = self.world.now - container.started >= SETTLE
        if isinstance(wait, AwaitSteady):
            return lasts
        version = (wait.service, wait.version)
        if lasts:
            self._lasting.add(version)
        return lasts or (version in self._lasting and not container.restarts)

    def _is_completed(self, wait: AwaitCompleted) -> bool:
        container = self.world.containers.get(wait.target)
        if container is None or container.state != "exited":
            return False
        if container.exit_code == 0:
            return True
        raise StepFailed(
            f"job {wait.target} failed with status {container.exit_code}",
            hint=f"msctl logs {wait.service}; msctl up runs it again",
            log=_last_lines(container),
        )

    def progress(self, wait: Wait) -> str | None:  # noqa: ARG002
        return None

    def why_not(self, wait: Wait) -> StepFailed:
        within = f"within {wait.timeout:g}s"
        container = self.world.containers.get(wait.target)
        log = _last_lines(container) if container else ()
        if isinstance(wait, AwaitHealthy):
            return StepFailed(
                f"{wait.target} did not become healthy {within}; it was left running",
                hint=f"msctl logs {wait.service}",
                log=log,
            )
        if isinstance(wait, AwaitCompleted):
            return StepFailed(
                f"job {wait.target} did not end {within}",
                hint=f"set services.{wait.service}.rollout.health_timeout, or --timeout",
                log=log,
            )
        return StepFailed(
            f"the gateway did not get so far: {wait.line()} {within}: it lists nothing",
            hint="msctl routes shows what it has; msctl logs traefik tells why",
        )


def _last_lines(container: Container) -> list[str]:
    return [text for _, text in container.log[-10:]]
