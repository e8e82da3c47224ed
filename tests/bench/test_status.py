"""How long `msctl status` takes with 50 replicas, against `docker compose ps`, in one run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import pytest
from live import NewStack, service

pytestmark = pytest.mark.engine
REPLICAS, RUNS = 50, 5


def median(deed: Callable[[], object]) -> float:
    """Seconds; the first run is not counted."""
    deed()
    times = []
    for _ in range(RUNS):
        began = time.monotonic()
        deed()
        times.append(time.monotonic() - began)
    return statistics.median(times)


@pytest.mark.timeout(300)
def test_status(stacks: NewStack) -> None:
    """Health and routing of 50 replicas; then the load too."""
    stack = stacks()
    replicas = {"initial": REPLICAS, "max": REPLICAS}
    health = {"path": "/health", "interval": "60s", "command": "none"}
    env = {"SERVICE_NAME": "web", "ACCESS_LOG": "off"}
    stack.write({"web": service("/", replicas=replicas, health=health, env=env)})
    stack.ok("up")
    stack.ok("render", "compose", "-o", str(stack.folder / "docker-compose.yml"))
    ps = median(lambda: stack.compose("ps"))
    print(f"\n| {REPLICAS} replicas | median of {RUNS} | ÷ docker compose ps |\n|---|---|---|")
    print(f"| docker compose ps | {ps:.2f} s | 1 |")
    for words in (["status", "--json"], ["status", "--load", "--json"]):
        seconds = median(lambda: stack.ok(*words))  # noqa: B023
        print(f"| msctl {' '.join(words)} | {seconds:.2f} s | {seconds / ps:.1f} |")
