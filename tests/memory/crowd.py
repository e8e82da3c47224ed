"""Sends a load to a world, whose gateway logs every request as Traefik does."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from memory.machine import Container
from memory.world import World
from msctl.loadtest.accesslog import request_id
from msctl.loadtest.outcome import Outcome
from msctl.loadtest.shape import Shape
from msctl.loadtest.target import Target
from msctl.model import GATEWAY

LATENCY = 0.01
"""Seconds of every answer."""


@dataclass
class Crowd:
    """See `msctl.loadgen.sender.send`. Requests go to the replicas of one service in turn."""

    world: World
    service: str
    provider: str = "docker"
    """Where the gateway has the service from, and by which name: `docker`, or a pin's `-a@file`."""
    answer: Callable[[int], int | str] = lambda _number: 200
    """The status of each request, or its error."""
    logged: Callable[[int], bool] = lambda _number: True
    """Whether the gateway's log gets a line of it."""
    before: Callable[[int], None] = lambda _number: None
    """What happens before each."""
    targets: list[Target] = field(default_factory=list)
    _homes: dict[int, str] = field(default_factory=dict)

    def __call__(
        self, target: Target, shape: Shape, run: str, tell: Callable[[Outcome], None]
    ) -> None:
        self.targets.append(target)
        start = self.world.now
        for number in range(shape.planned or 100):
            self.before(number)
            due = self.world.now - start if shape.rate is None else shape.due(number)
            self.world.advance(max(0.0, start + due - self.world.now))
            sent, client = self.world.now - start, shape.client(number)
            self.world.advance(LATENCY)
            found = self.answer(number)
            status, error = (found, None) if isinstance(found, int) else (None, found)
            if self.logged(number):
                self._log(request_id(run, number), status, self._replica(number, client))
            tell(Outcome(number, due, sent, self.world.now - start, status, error, client))
            self.world.advance(shape.delay)

    def _replica(self, number: int, client: int | None) -> Container:
        serving = [self.world.containers[name] for name in self.world.named(self.service)]
        serving = [container for container in serving if container.healthy]
        for container in serving:
            if client is not None and self._homes.get(client) == container.name:
                return container
        chosen = serving[number % len(serving)]
        if client is not None:
            self._homes[client] = chosen.name
        return chosen

    def _log(self, identity: str, status: int | None, replica: Container) -> None:
        gateway = next(c for c in self.world.containers.values() if c.service == GATEWAY)
        address = next(address for address in replica.networks.values() if address)
        mark = "" if self.provider.startswith("-") else "@"
        line: dict[str, Any] = {
            "DownstreamStatus": status or 499,
            "Duration": int(LATENCY * 1e9),
            "RetryAttempts": 0,
            "ServiceAddr": f"{address}:8000",
            "ServiceName": f"{self.service}{mark}{self.provider}",
            "request_X-Request-Id": identity,
        }
        gateway.log.append((self.world.now, json.dumps(line)))
