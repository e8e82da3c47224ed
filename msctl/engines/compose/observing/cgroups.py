"""What the kernel of this machine counts of a container: its control group.

A group's folder is named by the container's id, so that another machine's containers, such as
those of Docker Desktop, have none here. Sources: cgroup-v1/cpuacct.rst and memory.rst, and
cgroup-v2.rst of the kernel's documentation; the folders are those of runc, by its cgroupfs and its
systemd driver.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from msctl.engines.compose.observing.samples import Sample


@dataclass(frozen=True)
class Cgroups:
    """The control groups of a machine."""

    root: Path

    def samples(self, containers: Iterable[str]) -> dict[str, Sample]:
        """Of each container that has a group here."""
        found = {}
        for container in containers:
            for folder in (f"docker/{container}", f"system.slice/docker-{container}.scope"):
                try:
                    found[container] = self._second(folder) or self._first(folder)
                except (OSError, ValueError, KeyError):
                    continue  # there is no such group, or it has just ended
                break
        return found

    def _second(self, folder: str) -> Sample | None:
        """By version 2: one tree for everything."""
        place = self.root / folder
        if not (place / "cpu.stat").exists():
            return None
        busy = 1000 * _table(place / "cpu.stat")["usage_usec"]
        spare = _table(place / "memory.stat").get("inactive_file", 0)
        whole = int((place / "memory.current").read_text())
        return Sample(time.monotonic_ns(), busy, max(0, whole - spare))

    def _first(self, folder: str) -> Sample:
        """By version 1: a tree for each kind."""
        busy = int((self.root / "cpuacct" / folder / "cpuacct.usage").read_text())
        place = self.root / "memory" / folder
        spare = _table(place / "memory.stat").get("total_inactive_file", 0)
        whole = int((place / "memory.usage_in_bytes").read_text())
        return Sample(time.monotonic_ns(), busy, max(0, whole - spare))


def _table(file: Path) -> dict[str, int]:
    """A file with a name and a number a line."""
    rows = (line.split() for line in file.read_text().splitlines())
    return {name: int(value) for name, value in rows}
