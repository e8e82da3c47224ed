"""How long changes take: msctl, Docker Compose and the engine's bare API, in one run."""

from __future__ import annotations

import os
import platform
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import docker
import pytest
from live import MSCTL, SAMPLE, NewStack, Stack

pytestmark = [pytest.mark.engine, pytest.mark.timeout(3600)]
RUNS = int(os.environ.get("MSCTL_BENCH_RUNS", "5"))
IDLE = ["sh", "-c", "trap 'exit 0' TERM; sleep infinity & wait"]
"""Starts and ends at once, so that the tools are measured and not the service."""
CHECK = ["true"]
CHECKED = {"health": {"command": CHECK, "interval": "1s"}}
KEPT = "has active endpoints"
"""Docker 20.10 loses count of a network's endpoints now and then, when a hundred end at once."""
TOLD = "(the engine kept a network of containers that are gone: restart it)"
WORKERS = 8
"""Threads that use the bare API."""


def service(count: int = 1, **more: Any) -> dict[str, Any]:
    replicas = {"initial": count, "max": 200}
    return {"image": SAMPLE, "entrypoint": IDLE, "replicas": replicas, "stop_grace": "5s", **more}


def median(deed: Callable[[], object], before: Callable[[], object] = lambda: None) -> float:
    """Seconds; what is done before each run is not counted."""
    times = []
    for _ in range(RUNS):
        before()
        began = time.monotonic()
        deed()
        times.append(time.monotonic() - began)
    return statistics.median(times)


@dataclass(frozen=True)
class Tools:
    """Two stacks of the same file: one for each tool."""

    ours: Stack
    theirs: Stack

    def write(self, services: dict[str, Any]) -> None:
        for stack in (self.ours, self.theirs):
            stack.write(services)
        target = self.theirs.folder / "docker-compose.yml"
        self.theirs.ok("render", "compose", "-o", str(target))

    def down(self) -> None:
        self.ours.ok("down")
        self.their_down()

    def their_down(self) -> None:
        """The network that the engine may keep does not count."""
        try:
            self.theirs.compose("down")
        except AssertionError as error:
            if KEPT not in str(error):
                raise
            print(TOLD)

    def up(self, *words: str) -> None:
        self.ours.ok("up")
        self.theirs.compose("up", "-d", *words)


@pytest.fixture(scope="module")
def tools(stacks: NewStack) -> Tools:
    return Tools(stacks(), stacks())


def row(work: str, goal: str, ours: float, theirs: float, bare: float | None = None) -> None:
    bare_ratio = "" if bare is None else f"{bare / theirs:.2f}"
    print(
        f"| {work} | **{ours / theirs:.2f}** | {goal} | {bare_ratio} | {ours:.2f} s |"
        f" {theirs:.2f} s |"
    )


def heading(tools: Tools) -> None:
    version = tools.ours.engine.version()["Version"]
    compose = tools.theirs.compose("version", "--short").out.strip()
    print(f"\n{os.cpu_count()} CPUs, {platform.machine()}, Docker {version}, Compose {compose}\n")
    print("| work | msctl ÷ Compose | goal | bare API ÷ Compose | msctl | Compose |")
    print("|---|---|---|---|---|---|")


class Bare:
    """Containers and a network by the engine's API, and nothing else."""

    def __init__(self, stack: Stack) -> None:
        self.api = docker.APIClient()
        self.name = f"{stack.project}-bare-{secrets.token_hex(2)}"
        self.made: list[str] = []
        self.turn = 0

    @property
    def network(self) -> str:
        """Another one in each turn, since the engine may keep one."""
        return f"{self.name}-{self.turn}"

    def up(self, count: int) -> None:
        self.turn += 1
        self.api.create_network(self.network)
        with ThreadPoolExecutor(WORKERS) as pool:
            self.made = list(pool.map(self._one, range(count)))

    def _one(self, number: int) -> str:
        made = self._create(number)
        api = docker.APIClient()
        api.start(made)
        api.close()
        return made

    def _create(self, number: int, **more: Any) -> str:
        api = docker.APIClient()
        found = api.create_container(
            SAMPLE,
            entrypoint=IDLE,
            name=f"{self.name}-{number}",
            host_config=api.create_host_config(network_mode=self.network),
            **more,
        )
        api.close()
        return str(found["Id"])

    def tiers(self, count: int) -> None:
        """Each container is started when the one before is healthy."""
        self.turn += 1
        self.api.create_network(self.network)
        check = {"test": ["CMD", *CHECK], "interval": 1_000_000_000}
        self.made = [self._create(number, healthcheck=check) for number in range(count)]
        filters = {"container": self.made, "event": "health_status"}
        events = self.api.events(filters=filters, decode=True)
        for one in self.made:
            self.api.start(one)
            health = next(events)
            assert (health["id"], health["Action"]) == (one, "health_status: healthy")
        events.close()

    def down(self) -> None:
        with ThreadPoolExecutor(WORKERS) as pool:
            list(pool.map(lambda one: self.api.remove_container(one, force=True), self.made))
        if self.made:
            try:
                self.api.remove_network(self.network)
            except docker.errors.APIError as error:
                if KEPT not in str(error):
                    raise
                print(TOLD)
        self.made = []


def test_changes(tools: Tools) -> None:
    """Ratios first; below 1 msctl is the faster one."""
    heading(tools)
    for count, goal in ((20, "≤ 0.65"), (100, "≤ 0.60")):
        tools.write({"web": service(count)})
        ours = median(lambda: tools.ours.ok("up"), lambda: tools.ours.ok("down"))
        tools.ours.ok("down")
        theirs = median(lambda: tools.theirs.compose("up", "-d"), tools.their_down)
        tools.their_down()
        bare = Bare(tools.ours)
        try:
            plain = median(lambda: bare.up(count), bare.down)  # noqa: B023
        finally:
            bare.down()
        row(f"`up` of {count} replicas", goal, ours, theirs, plain)

    tiers = {
        "db": service(**CHECKED),
        "api": service(**CHECKED, needs=["db"]),
        "web": service(**CHECKED, needs=["api"]),
    }
    tools.write(tiers)
    ours = median(lambda: tools.ours.ok("up"), lambda: tools.ours.ok("down"))
    wait = ("up", "-d", "--wait")
    theirs = median(lambda: tools.theirs.compose(*wait), tools.their_down)
    tools.down()
    bare = Bare(tools.ours)
    try:
        plain = median(lambda: bare.tiers(len(tiers)), bare.down)
    finally:
        bare.down()
    row("three tiers waiting for health, check every 1 s", "≤ 0.75", ours, theirs, plain)

    tools.write({"web": service(2, **CHECKED)})
    tools.up("--wait")
    ours = median(
        lambda: tools.ours.ok("scale", "web", "10"), lambda: tools.ours.ok("scale", "web", "2")
    )
    scaled = (*wait, "--no-recreate", "--scale")
    theirs = median(
        lambda: tools.theirs.compose(*scaled, "web=10"),
        lambda: tools.theirs.compose(*scaled, "web=2"),
    )
    row("`scale` 2 → 10, healthy", "≤ 0.75", ours, theirs)
    tools.down()

    tools.write({"web": service(100)})
    ours = median(lambda: tools.ours.ok("down"), lambda: tools.ours.ok("up"))
    theirs = median(tools.their_down, lambda: tools.theirs.compose("up", "-d"))
    row("`down` of 100 replicas", "≤ 1.0", ours, theirs)


def test_questions(tools: Tools) -> None:
    """With nothing to do, and what is asked most often; 100 routed replicas."""
    heading(tools)
    tools.write({"web": service(100, port=8000, routes=[{"path": "/"}])})
    tools.ours.ok("up")
    ours = median(lambda: tools.ours.ok("up"))
    status = median(lambda: tools.ours.ok("status"))
    tools.ours.ok("down")
    tools.theirs.compose("up", "-d")
    theirs = median(lambda: tools.theirs.compose("up", "-d"))
    ps = median(lambda: tools.theirs.compose("ps"))
    tools.their_down()
    row("`up` with nothing to do, 100 replicas", "≤ 3.0", ours, theirs)
    row("`status` with routing, 100 replicas, against `ps`", "≤ 3.0", status, ps)


_USED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""


def used(stack: Stack, *words: str) -> tuple[float, float]:
    """Seconds of CPU and the peak of its memory in MB, of one msctl.

    A small process starts it: Linux counts what the parent had when it forked, and that of the
    tests is 85 MB.
    """
    ran = subprocess.run(
        [sys.executable, "-c", _USED, MSCTL, *words],
        cwd=stack.folder,
        env=stack.env,
        capture_output=True,
        check=True,
        text=True,
    )
    cpu, memory = ran.stdout.split()
    return float(cpu), float(memory)


def test_process(tools: Tools) -> None:
    """One process, and how cost grows with the replicas."""
    helped = statistics.median(used(tools.ours, "--help")[0] for _ in range(RUNS))
    print("\n| one process | measured | goal |\n|---|---|---|")
    print(f"| `msctl --help` | {helped:.3f} s of CPU | ≤ 0.08 s |")
    grown = []
    for count in (10, 50, 100, 200):
        tools.ours.write({"web": service(count)})
        began = time.monotonic()
        _, memory = used(tools.ours, "up")
        grown.append((count, time.monotonic() - began, memory))
        tools.ours.ok("down")
    peak = next(memory for count, _, memory in grown if count == 100)
    print(f"| `up` of 100 replicas | {peak:.0f} MB at most | ≤ 80 MB |")
    print("\n| replicas | `up` | a replica | memory |\n|---|---|---|---|")
    for count, seconds, memory in grown:
        print(f"| {count} | {seconds:.1f} s | {1000 * seconds / count:.0f} ms | {memory:.0f} MB |")
