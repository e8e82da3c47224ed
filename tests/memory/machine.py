"""A container of the world: what its image does, and what the engine makes of it over time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from msctl.engines.compose import labels
from msctl.state import Health


class Refused(Exception):
    """The engine's answer to a call that it does not do; its words are Docker's."""


@dataclass(frozen=True)
class Behaviour:
    """What the process in a container does, in seconds after its start."""

    healthy_after: float | None = 0.5
    """When its health check passes, which the engine sees by its next one; None: never."""
    unhealthy_after: float | None = None
    """When its health check has failed for good; None: it stays `starting`."""
    exits_after: float = 0.0
    exit_code: int | None = None
    """None: it runs until it is stopped."""
    log: tuple[str, ...] = ()
    """What it writes when it starts."""


@dataclass
class Container:
    """One container; `tick` moves it to a time."""

    id: str
    name: str
    body: Mapping[str, Any]
    image_id: str
    checked: bool
    """Whether a health check runs in it."""
    networks: dict[str, str | None]
    """Its address in each network; None while it does not run."""
    state: str = "created"
    health: Health = Health.NONE
    started: float | None = None
    healthy_since: float | None = None
    exit_code: int | None = None
    restarts: int = 0
    restart_at: float | None = None
    behaviour: Behaviour = Behaviour()
    log: list[tuple[float, str]] = field(default_factory=list)
    unnamed: Mapping[str, str] = field(default_factory=dict)
    """Volumes that nobody gave a name, by where they are."""

    @property
    def labels(self) -> Mapping[str, str]:
        found: Mapping[str, str] = self.body.get("Labels") or {}
        return found

    @property
    def project(self) -> str | None:
        return self.labels.get(labels.PROJECT)

    @property
    def service(self) -> str:
        return self.labels.get(labels.SERVICE, "")

    @property
    def running(self) -> bool:
        return self.state == "running"

    @property
    def healthy(self) -> bool:
        return self.running and self.health in (Health.HEALTHY, Health.NONE)

    @property
    def volumes(self) -> set[str]:
        mounts = (self.body.get("HostConfig") or {}).get("Mounts") or ()
        return {m["Source"] for m in mounts if m["Type"] == "volume" and m.get("Source")}

    def published(self) -> list[tuple[str, int, str]]:
        """Host address, port and protocol of each fixed published port."""
        bindings = (self.body.get("HostConfig") or {}).get("PortBindings") or {}
        return [
            (binding.get("HostIp") or "0.0.0.0", int(binding["HostPort"]), key.partition("/")[2])
            for key, entries in bindings.items()
            for binding in entries
            if (binding.get("HostPort") or "").isdigit()
        ]

    # Life

    def start(self, now: float) -> None:
        self.state, self.started, self.exit_code, self.restart_at = "running", now, None, None
        self.health = Health.STARTING if self.checked else Health.NONE
        self.healthy_since = None if self.checked else now
        self.log += [(now, line) for line in self.behaviour.log]

    def end(self, code: int) -> None:
        self.state, self.exit_code, self.restart_at = "exited", code, None
        self.networks = dict.fromkeys(self.networks)
        if self.checked:
            self.health = Health.UNHEALTHY

    def next_change(self) -> float | None:
        """When it changes by itself; None when it does not."""
        if self.restart_at is not None:
            return self.restart_at
        if not self.running or self.started is None:
            return None
        do, times = self.behaviour, []
        if do.exit_code is not None:
            times.append(self.started + do.exits_after)
        if self.health is Health.STARTING:
            times += [
                self.started + after
                for after in (self._healthy_after(), do.unhealthy_after)
                if after is not None
            ]
        return min(times, default=None)

    def _healthy_after(self) -> float | None:
        """Seconds until the engine's first check that passes."""
        check, after = self.body.get("Healthcheck") or {}, self.behaviour.healthy_after
        every = (check.get("StartInterval") or check.get("Interval") or 0) / 1e9
        if after is None or not every:
            return after
        return max(1, math.ceil(after / every)) * every

    def change(self, now: float) -> None:
        """What is due at this time."""
        if self.restart_at is not None:
            self.restarts += 1
            self.start(now)
            return
        assert self.started is not None
        # Added as in `next_change`, so that both round alike.
        do, since = self.behaviour, self.started
        if do.exit_code is not None and now >= since + do.exits_after:
            self._exits(do.exit_code, now)
        elif (after := self._healthy_after()) is not None and now >= since + after:
            self.health, self.healthy_since = Health.HEALTHY, now
        else:
            self.health = Health.UNHEALTHY

    def _exits(self, code: int, now: float) -> None:
        policy = (self.body.get("HostConfig") or {}).get("RestartPolicy") or {}
        name, most = policy.get("Name") or "no", policy.get("MaximumRetryCount") or 0
        again = name in ("always", "unless-stopped") or (
            name == "on-failure" and code != 0 and (not most or self.restarts < most)
        )
        self.end(code)
        if again:
            self.state, self.restart_at = "restarting", now + 0.1 * 2**self.restarts
