"""Builds images: by BuildKit where buildx is installed, else by the engine's own builder."""

from __future__ import annotations

import io
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from typing import Any

from msctl.engines.compose.api.client import Client, EngineFault
from msctl.engines.compose.deeds import buildx
from msctl.engines.compose.deeds.order import BuildFailed, Order, silent
from msctl.engines.compose.observing.podman import is_podman
from msctl.errors import EngineUnreachable, StepFailed
from msctl.plan import OutputLine

SILENT_BUILD = 1800
"""Seconds that a line of a Dockerfile may take without a word, as a compiler does."""
_KEPT_LINES = 20
"""Lines of a failed build's output that are shown."""
_CORRECT = "correct its Dockerfile; nothing was created"
_INSTALL = (
    "install buildx (package docker-buildx-plugin of Docker, docker-buildx of Debian), "
    "which builds by BuildKit"
)


def build(client: Client, order: Order, tell: Callable[[str], None]) -> None:
    """Have an image built; every line is told as it comes.

    Raises:
        StepFailed: it cannot be built, with the last lines.
    """
    if order.folder is not None and not (order.folder / order.dockerfile).is_file():
        raise StepFailed(
            f"cannot build {order.reference}: {order.folder / order.dockerfile} is not there",
            hint="correct build.context and build.dockerfile in the stack file",
        )
    output: deque[str] = deque(maxlen=_KEPT_LINES)
    try:
        with closing(_lines(client, order)) as lines:
            for text in lines:
                for line in text.splitlines():
                    if line.strip():
                        output.append(line.rstrip())
                        tell(OutputLine(line.rstrip()))
    except BuildFailed as failure:
        raise StepFailed(
            f"the build of {order.reference} failed: {failure}",
            hint=_INSTALL if "BuildKit" in str(failure) else _CORRECT,
            log=tuple(output),
        ) from None
    except OSError as error:
        raise StepFailed(f"cannot build {order.reference}: {error}") from error
    except EngineFault as fault:
        raise StepFailed(f"cannot build {order.reference}: {fault.message}") from fault


def _lines(client: Client, order: Order) -> Generator[str]:
    program = None if is_podman(client) else buildx.find(client.environ)  # Podman has no BuildKit
    if program is not None:
        yield from buildx.build(program, order, client.place, client.environ, SILENT_BUILD)
    else:
        yield from _by_the_engine(client, order)


def _by_the_engine(client: Client, order: Order) -> Generator[str]:
    heard = time.monotonic()
    try:
        for line in _of_the_engine(client, order):
            heard = time.monotonic()
            yield line
    except EngineUnreachable:
        if time.monotonic() - heard < SILENT_BUILD:
            raise
        raise silent(SILENT_BUILD) from None


def _of_the_engine(client: Client, order: Order) -> Generator[str]:
    with closing(
        client.stream(
            lambda api: api.build(
                **_source(order),
                tag=order.reference,
                buildargs=dict(order.args),
                target=order.target,
                rm=True,
                forcerm=True,
                decode=True,
                timeout=SILENT_BUILD,  # its own default is no limit, whatever the client's is
            ),
            SILENT_BUILD,
        )
    ) as messages:
        for message in messages:
            if "error" in message:
                raise BuildFailed(str(message["error"]).strip())
            yield str(message.get("stream", ""))


def _source(order: Order) -> Mapping[str, Any]:
    if order.folder is None:
        return {"fileobj": io.BytesIO(order.given), "custom_context": order.archive}
    return {"path": str(order.folder), "dockerfile": order.dockerfile}
