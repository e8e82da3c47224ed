"""A load on the shop's api, in virtual time: what everybody who is asked says of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
from terminal import SHOP, Answer, Terminal

from msctl.state import Usage

AUTOSCALED = SHOP.replace(
    "    replicas: 2\n",
    "    replicas: {initial: 2, min: 1, max: 8}\n"
    "    resources: {cpus: 1, reserve: {cpus: 0.5}}\n"
    "    autoscale: {min: 2, max: 6, cpu: 60%, rps: 50, latency_p95: 500ms, stabilize_down: 60s}\n",
)


@dataclass
class Load:
    """Requests to api, until a time at which somebody ends msctl."""

    terminal: Terminal
    rps: float = 80.0
    p95: float = 0.2
    """Seconds."""
    busy: float = 0.4
    """Processors that all the replicas of api keep busy together."""
    scraped: bool = True
    """Whether Prometheus answers."""
    counted: bool = True
    """Whether the gateway's counters can be read."""
    events: list[tuple[float, Callable[[], object]]] = field(default_factory=list)
    requests: float = 1000.0
    """Counted by the gateway so far."""
    slow: float = 0.0
    """Those of them that took more than 0.5 s."""
    began: float = 0.0

    def __post_init__(self) -> None:
        self.terminal.sleep = self.sleep
        self.terminal.prometheus = self.prometheus
        self.terminal.gateway = self.gateway
        self.began = self.terminal.world.now
        self.spread()

    def at(self, seconds: float, event: Callable[[], object]) -> Load:
        """Let something happen, so many seconds after the beginning."""
        self.events.append((self.began + seconds, event))
        self.events.sort(key=lambda entry: entry[0])
        return self

    def end(self, seconds: float) -> Load:
        """Ctrl-C, so many seconds after the beginning."""
        return self.at(seconds, _interrupt)

    def change(self, **figures: float) -> Callable[[], None]:
        """An event that sets figures of the load."""

        def event() -> None:
            for name, figure in figures.items():
                setattr(self, name, figure)

        return event

    def sleep(self, seconds: float) -> None:
        world = self.terminal.world
        world.advance(seconds)
        self.requests += self.rps * seconds
        self.slow += self.rps * seconds if self.p95 > 0.5 else 0.0
        while self.events and self.events[0][0] <= world.now:
            self.events.pop(0)[1]()
        self.spread()

    def spread(self) -> None:
        """The processors' work, evenly over the replicas."""
        world = self.terminal.world
        names = [name for name in world.named("api") if world.containers[name].running]
        world.usages = {name: Usage(self.busy / len(names), 2**26) for name in names}

    def prometheus(self, _: httpx.Request) -> httpx.Response:
        if not self.scraped:
            raise httpx.ConnectError("Connection refused")
        figures = {"rps": self.rps, "p95_ms": 1000 * self.p95}
        result = [
            {"metric": {"name": "api", "figure": name}, "value": [0, str(figure)]}
            for name, figure in figures.items()
        ]
        result.append({"metric": {"figure": "scraped"}, "value": [0, "1"]})
        data = {"resultType": "vector", "result": result}
        return httpx.Response(200, json={"status": "success", "data": data})

    def gateway(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/metrics"
        if not self.counted:
            raise httpx.ConnectError("Connection refused")
        return httpx.Response(200, text=page(self.requests, self.slow))

    def msctl(self, *words: str) -> Answer:
        return self.terminal.msctl("autoscale", *words)

    def now(self, service: str = "api") -> int:
        """Replicas that run."""
        return len(self.terminal.world.named(service))


def page(requests: float, slow: float = 0.0, service: str = "api@docker") -> str:
    """A gateway's counters, of which `slow` took between 0.5 s and 1 s, the others under 0.1 s."""
    own = f'code="200",method="GET",protocol="http",service="{service}"'
    name = "traefik_service_request_duration_seconds_bucket"
    return (
        "# TYPE traefik_service_requests_total counter\n"
        f"traefik_service_requests_total{{{own}}} {requests}\n"
        f'{name}{{{own},le="0.1"}} {requests - slow}\n'
        f'{name}{{{own},le="0.5"}} {requests - slow}\n'
        f'{name}{{{own},le="1"}} {requests}\n'
        f'{name}{{{own},le="+Inf"}} {requests}\n'
    )


def _interrupt() -> None:
    raise KeyboardInterrupt


def scaled(out: str) -> list[str]:
    """`2 → 4` of each line."""
    return [line.split(":")[2].split(" api ")[1] for line in out.splitlines()]
