"""Requests lost, and seconds taken, by msctl and by Docker Compose in the same changes under the
same load, in one run on one machine."""

from __future__ import annotations

import logging
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from live import SAMPLE, NewStack, Stack
from load import Load, Requests
from traffic import load, write

from msctl.model import GATEWAY

log = logging.getLogger(__name__)
pytestmark = pytest.mark.engine

OTHER_IMAGE = SAMPLE.replace(":latest", ":other")


@dataclass(frozen=True)
class Change:
    """A change of the shop, and what each tool does about it."""

    name: str
    after: dict[str, Any] = field(default_factory=dict)
    """What the stack file says from now on; it says so at the start where `edits` is false."""
    replicas: int = 2
    """How many run before it."""
    to: int | None = None
    """How many run after it, where it is a scale."""
    restart: str | None = None
    """The service whose replicas are replaced by copies."""

    @property
    def before(self) -> dict[str, Any]:
        return self.after if self.to is not None or self.restart else {}


CHANGES = (
    Change("scale 2 → 5", to=5),
    Change("scale 5 → 2", replicas=5, to=2),
    Change(
        "scale 5 → 2, app dies at once on SIGTERM",
        {"env": {"MISBEHAVE": "die-on-sigterm"}},
        replicas=5,
        to=2,
    ),
    Change("another image", {"image": OTHER_IMAGE}),
    Change("another environment", {"env": {"A": "1"}}),
    Change("another health path", {"health": {"path": "/alive", "interval": "1s"}}),
    Change("restart", restart="shop"),
    Change("restart of the gateway itself", restart=GATEWAY),
)


@dataclass(frozen=True)
class Row:
    """One change by one tool."""

    lost: int
    sent: int
    seconds: float
    held: float
    """The smallest share of a rate that was reached."""

    def __str__(self) -> str:
        return f"{self.lost:,} of {self.sent:,} | {self.seconds:.1f} s"


def measured(stack: Stack, deed: Callable[[], object]) -> Row:
    """One change under load, from two seconds before it to two seconds after."""
    traffic: Load
    with load(stack) as traffic:
        time.sleep(2)
        began = time.monotonic()
        deed()
        seconds = time.monotonic() - began
        time.sleep(2)
    log.info("%.1f s: %s", seconds, traffic)
    held = min(clients.held for clients in traffic.clients if isinstance(clients, Requests))
    return Row(traffic.lost, traffic.sent, seconds, held)


class Msctl:
    """Changes as msctl does them."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    def bring(self, change: Change) -> None:
        write(self.stack, **change.before)
        self.stack.ok("up", "--reset-scale")
        self.stack.ok("scale", "shop", str(change.replicas))

    def edit(self, change: Change) -> None:
        write(self.stack, **change.after)

    def do(self, change: Change) -> None:
        if change.to is not None:
            self.stack.ok("scale", "shop", str(change.to))
        else:
            self.stack.ok(*(["restart", change.restart] if change.restart else ["up"]))


class Compose:
    """Changes as Docker Compose does them, with the file that msctl renders."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    def bring(self, change: Change) -> None:
        self._write(change.before)
        self._up("--scale", f"shop={change.replicas}")

    def edit(self, change: Change) -> None:
        self._write(change.after)

    def do(self, change: Change) -> None:
        if change.to is not None:
            self._up("--scale", f"shop={change.to}", "--no-recreate")
        elif change.restart:
            self._up("--no-deps", "--force-recreate", change.restart)
        else:
            self._up()

    def _write(self, changes: dict[str, Any]) -> None:
        write(self.stack, **changes)
        self.stack.ok("render", "compose", "-o", str(self.stack.folder / "docker-compose.yml"))

    def _up(self, *words: str) -> None:
        self.stack.compose("up", "-d", "--wait", *words)


def rows(tool: Msctl | Compose, changes: Sequence[Change]) -> list[Row]:
    found = []
    for change in changes:
        tool.bring(change)
        tool.edit(change)
        found.append(measured(tool.stack, lambda: tool.do(change)))  # noqa: B023
    return found


def test_lost_requests(stacks: NewStack) -> None:
    """msctl loses nothing where Docker Compose loses requests."""
    ours, theirs = stacks(), stacks()
    ours.engine.api.tag(SAMPLE, *OTHER_IMAGE.split(":"))
    ours.images.append(OTHER_IMAGE)
    by_msctl = rows(Msctl(ours), CHANGES)
    ours.ok("down")
    by_compose = rows(Compose(theirs), CHANGES)
    version = ours.engine.version()["Version"]
    compose = theirs.compose("version", "--short").out.strip()
    held = min(row.held for row in (*by_msctl, *by_compose))
    print(f"\n{os.cpu_count()} CPUs, {platform.machine()}, Docker {version}, Compose {compose}")
    print(f"300 GET and 50 POST of 1 s a second, of which {held:.0%} and more were held\n")
    print("| change | msctl lost | time | Docker Compose lost | time |\n|---|---|---|---|---|")
    for change, one, other in zip(CHANGES, by_msctl, by_compose, strict=True):
        print(f"| {change.name} | {one} | {other} |")
    kept = [row for change, row in zip(CHANGES, by_msctl, strict=True) if change.restart != GATEWAY]
    assert [row.lost for row in kept] == [0] * len(kept)
