"""Somebody who looks for a stack's secrets where they must not be."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

_SHORTEST = 16
"""Characters of a line that is worth looking for."""
_PUBLIC = ("ca.pem", ".crt")


def secret_lines(folder: Path) -> dict[str, str]:
    """Every line that is secret of a stack in a folder, and the file that it is in: passwords,
    their hashes, what was made from a template, keys."""
    found = {}
    for path in (folder / ".msctl").rglob("*"):
        if path.name.endswith(_PUBLIC):
            continue
        with suppress(OSError):  # gone meanwhile
            text = path.read_text().partition("-----BEGIN CERTIFICATE")[0]
            for line in text.splitlines():
                if len(line) >= _SHORTEST and not line.startswith("-----"):
                    found[line.strip()] = path.name
    return found


class Onlooker:
    """Reads every command line and environment of the machine while something is done."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.known: dict[str, str] = {}
        """What was secret at any moment."""
        self.seen: list[str] = []
        self._done = threading.Event()
        self._looks = threading.Thread(target=self._look)

    def __enter__(self) -> Onlooker:
        self._looks.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._looks.join()

    def _look(self) -> None:
        while not self._done.is_set():
            self.known |= secret_lines(self._folder)
            words = [line.encode() for line in self.known]
            for process in filter(str.isdigit, os.listdir("/proc")):
                for name in ("cmdline", "environ"):
                    with suppress(OSError):  # it has ended meanwhile
                        text = Path("/proc", process, name).read_bytes()
                        self.seen += [str(text) for word in words if word in text]
            time.sleep(0.02)
