"""What containers take of the machine, from two samples a little apart."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from msctl.engines.compose.api.client import Client
from msctl.engines.compose.observing.cgroups import Cgroups
from msctl.engines.compose.observing.samples import Sample, sampled
from msctl.state import Usage

APART = 0.25
"""Seconds between two samples, at the least."""


@dataclass
class Meter:
    """Asks the kernel where it can, and the engine about the rest.

    The engine takes its samples once a second, and lets the first ones wait for that; the kernel
    of this machine tells at once. The samples are kept, so that who asks again does not wait.
    """

    client: Client
    cgroups: Cgroups | None
    """None where the engine runs on another machine."""
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        self._before: dict[str, Sample] = {}
        self._taken = self.clock() - APART

    @classmethod
    def of(cls, client: Client) -> Meter:
        return cls(client, Cgroups(Path("/sys/fs/cgroup")) if client.local else None)

    def usage(self, containers: Iterable[str]) -> dict[str, Usage]:
        """Of running containers, by id; what does not answer in time is not in it."""
        wanted = list(containers)
        if any(one not in self._before for one in wanted):
            self._sample(wanted)
        self.sleep(max(0.0, APART - (self.clock() - self._taken)))
        before = dict(self._before)
        self._sample(wanted)
        return {
            one: Usage(
                _cpus(before.get(one), sample), sample.memory, sample.busy / 1e9, sample.at / 1e9
            )
            for one, sample in self._before.items()
        }

    def _sample(self, containers: list[str]) -> None:
        """Of each container that tells; the others are forgotten."""
        found = {} if self.cgroups is None else self.cgroups.samples(containers)
        rest = [one for one in containers if one not in found]
        self._before = {**found, **(sampled(self.client, rest) if rest else {})}
        self._taken = self.clock()


def _cpus(before: Sample | None, after: Sample) -> float | None:
    """Processor time by the time that passed, both by the same clock."""
    if before is None:
        return None
    passed, busy = after.at - before.at, after.busy - before.busy
    return busy / passed if passed > 0 and busy >= 0 else None
