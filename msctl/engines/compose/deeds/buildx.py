"""BuildKit, by way of buildx, Docker's program for it: where it is, and what it is told.

Source: docker/cli, `cli-plugins/manager` (where plugins lie) and `cmd/docker/builder.go` (when it
is used, and that the engine's own builder is taken unless $BUILDX_BUILDER names another).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Mapping
from pathlib import Path
from queue import Empty, Queue
from typing import IO

from msctl.engines.compose.api.endpoint import Endpoint, config_folder
from msctl.engines.compose.deeds.order import BuildFailed, Order, silent

_NAME = "docker-buildx.exe" if sys.platform == "win32" else "docker-buildx"
_SYSTEM = (
    "/usr/local/lib/docker/cli-plugins", "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins", "/usr/libexec/docker/cli-plugins",
)  # fmt: skip
_FALSE = {"0", "f", "F", "false", "False", "FALSE"}
_ERROR = "ERROR: "
_PATIENCE = 10
"""Seconds that buildx has to end when it is told to."""


def find(environ: Mapping[str, str], system: tuple[str, ...] = _SYSTEM) -> Path | None:
    """buildx, where Docker's own command would find it; None where it is not installed, or not
    wanted (DOCKER_BUILDKIT=0)."""
    if environ.get("DOCKER_BUILDKIT") in _FALSE:
        return None
    folder = config_folder(environ)
    programs = [environ[name] for name in ("ProgramData", "ProgramFiles") if environ.get(name)]
    places = [
        *_extra(folder),
        folder / "cli-plugins",
        *(Path(program) / "Docker" / "cli-plugins" for program in programs),
        *map(Path, system),
    ]
    for place in places:
        if os.access(place / _NAME, os.X_OK):
            return place / _NAME
    found = shutil.which(_NAME, path=environ.get("PATH"))
    return Path(found) if found else None


def _extra(folder: Path) -> list[Path]:
    """Folders of plugins that Docker's configuration names."""
    try:
        found = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return []
    named = found.get("cliPluginsExtraDirs") if isinstance(found, dict) else None
    return [Path(str(one)) for one in named] if isinstance(named, list) else []


def arguments(order: Order) -> list[str]:
    """What is told of an image that shall be built and be on the engine then."""
    words = ["build", "--load", "--progress=plain", f"--tag={order.reference}"]
    words += [f"--build-arg={name}={value}" for name, value in order.args.items()]
    words += [f"--target={order.target}"] if order.target else []
    if order.folder is None:
        return [*words, "-"]
    return [*words, f"--file={order.folder / order.dockerfile}", str(order.folder)]


def environment(place: Endpoint, environ: Mapping[str, str]) -> dict[str, str]:
    """What leads buildx to the same engine and its own builder.

    Without the attestations of a build, whose times would make another image of the same content.
    """
    chosen = {"BUILDX_NO_DEFAULT_ATTESTATIONS": "1", "BUILDX_BUILDER": place.context or "default"}
    if place.context:
        address = {"DOCKER_CONTEXT": place.context, "DOCKER_HOST": ""}
    else:
        address = {"DOCKER_HOST": place.address}
    return {**chosen, **environ, **address}


def build(
    program: Path,
    order: Order,
    place: Endpoint,
    environ: Mapping[str, str],
    silence: float | None = None,
) -> Generator[str]:
    """The lines of a build as they come; closing it ends the build. It may be silent for `silence`
    seconds.

    Raises:
        BuildFailed: it failed, with the reason.
        OSError: buildx cannot be run.
    """
    reason = ""
    with tempfile.TemporaryFile() as given:
        given.write(order.given)
        given.seek(0)
        process = subprocess.Popen(
            [str(program), *arguments(order)],
            env=environment(place, environ),
            stdin=given,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
    lines: Queue[str] = Queue()
    threading.Thread(target=_read, args=(process.stderr, lines), daemon=True).start()
    try:
        while line := lines.get(timeout=silence):
            if line.startswith(_ERROR):
                reason = line.removeprefix(_ERROR).strip()
            yield line
        status = process.wait()
    except Empty:
        raise silent(silence or 0) from None
    finally:
        _end(process)
    if status:
        raise BuildFailed(reason or f"buildx ended with status {status}")


def _read(stream: IO[str], lines: Queue[str]) -> None:
    """Every line, and an empty text at the end."""
    with stream:
        for line in stream:
            lines.put(line)
    lines.put("")


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
