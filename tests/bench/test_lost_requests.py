"""Requests lost, and seconds taken, by msctl and by Docker Compose in the same changes under the
same load, in one run on one machine."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from live import NewStack, Stack
from load import Load
from traffic import load, write

pytestmark = pytest.mark.engine


@dataclass(frozen=True)
class Row:
    """One change by one tool."""

    change: str
    tool: str
    lost: int
    sent: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"| {self.change} | {self.tool} | {self.lost} of {self.sent:,} | {self.seconds:.1f} s |"
        )


def measured(stack: Stack, change: str, tool: str, deed: Callable[[], object]) -> Row:
    """One change under load, from two seconds before it to two seconds after."""
    traffic: Load
    with load(stack, rate=RATE) as traffic:
        time.sleep(2)
        began = time.monotonic()
        deed()
        seconds = time.monotonic() - began
        time.sleep(2)
    return Row(change, tool, traffic.lost, traffic.sent, seconds)


RATE = 300
CHANGES = ("scale 5 → 2", "change of environment, 2 replicas")


def by_msctl(stack: Stack) -> list[Row]:
    write(stack)
    stack.ok("up")
    stack.ok("scale", "shop", "5")
    rows = [measured(stack, CHANGES[0], "msctl", lambda: stack.ok("scale", "shop", "2"))]
    write(stack, env={"A": "1"})
    return [*rows, measured(stack, CHANGES[1], "msctl", lambda: stack.ok("up"))]


def by_compose(stack: Stack) -> list[Row]:
    def render() -> None:
        stack.ok("render", "compose", "-o", str(stack.folder / "docker-compose.yml"))

    def up(*words: str) -> None:
        stack.compose("up", "-d", "--wait", *words)

    write(stack)
    render()
    up("--scale", "shop=5")
    scale = ("--scale", "shop=2", "--no-recreate")
    rows = [measured(stack, CHANGES[0], "Docker Compose", lambda: up(*scale))]
    write(stack, env={"A": "1"})
    render()
    return [*rows, measured(stack, CHANGES[1], "Docker Compose", up)]


def test_lost_requests(stacks: NewStack) -> None:
    """msctl loses nothing where Docker Compose loses requests."""
    rows = [*by_msctl(stacks()), *by_compose(stacks())]
    engine = stacks().engine.version()["Version"]
    print(f"\n{os.cpu_count()} CPUs, {platform.machine()}, Docker {engine}")
    print("| change | by | lost | time |\n|---|---|---|---|")
    for row in sorted(rows, key=lambda row: CHANGES.index(row.change)):
        print(row)
    assert [row.lost for row in rows if row.tool == "msctl"] == [0, 0]
    assert all(row.lost > 0 for row in rows if row.tool != "msctl")
