"""What the command line works with, all of it handed in: nothing is global."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msctl.frozen import dataclass

if TYPE_CHECKING:  # their modules are heavy, and `msctl --help` needs none of them
    from msctl.config import LoadedStack
    from msctl.engines.base import Engine
    from msctl.gateway import GatewayApi
    from msctl.loadtest.outcome import Outcome
    from msctl.loadtest.shape import Shape
    from msctl.loadtest.target import Target
    from msctl.monitoring.prometheus import PrometheusApi
    from msctl.state import Certificate

    Connect = Callable[[str, LoadedStack, Mapping[str, str], Callable[[str], None]], Engine]
    Send = Callable[[Target, Shape, str, Callable[[Outcome], None]], None]


def _connect(
    name: str, loaded: LoadedStack, environ: Mapping[str, str], warn: Callable[[str], None]
) -> Engine:
    from msctl.engines import connect

    return connect(name, loaded, environ, warn)


def _prometheus(url: str) -> PrometheusApi:
    from msctl.monitoring.prometheus import PrometheusApi

    return PrometheusApi(url)


def _gateway(url: str) -> GatewayApi:
    from msctl.gateway import GatewayApi

    return GatewayApi(url)


def _certificate(host: str, port: int, server_name: str) -> Certificate | None:
    from msctl.tls.shown import certificate_of

    return certificate_of(host, port, server_name)


def _send(target: Target, shape: Shape, run: str, tell: Callable[[Outcome], None]) -> None:
    from msctl.loadgen.sender import send

    send(target, shape, run, tell)


def _asks() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _browses() -> bool:
    from msctl.cli.browser import has_browser

    return sys.stdout.isatty() and has_browser(os.environ)


def _browse(url: str) -> bool:
    from msctl.cli.browser import open_page

    return open_page(url)


@dataclass(frozen=True, kw_only=True)
class App:
    """The world around a command; tests hand in another one."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    cwd: Path = field(default_factory=Path.cwd)
    connect: Connect = _connect
    """Gives the engine of a stack, by the name that `--engine` takes; warns of what is odd."""
    prometheus: Callable[[str], PrometheusApi] = _prometheus
    """Gives the Prometheus at a URL."""
    gateway: Callable[[str], GatewayApi] = _gateway
    """Gives the gateway at a URL, for what it has counted."""
    certificate: Callable[[str, int, str], Certificate | None] = _certificate
    """What is shown by HTTPS, at a host and port, to those who ask for a name."""
    send: Send = _send
    """Sends the requests of a load test; see `msctl.loadgen.sender`."""
    lock_folder: Path | None = None
    """Where locks lie; None: the user's own folder of them."""
    clock: Callable[[], float] = time.monotonic
    """Seconds, for durations."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    """Time of day, with a zone."""
    sleep: Callable[[float], None] = time.sleep
    """Between two looks of `status --watch`, and two readings of a log."""
    asks: Callable[[], bool] = _asks
    """Whether there is a terminal with somebody to ask."""
    browses: Callable[[], bool] = _browses
    """Whether somebody at a terminal has a browser that can be opened."""
    browse: Callable[[str], bool] = _browse
    """Opens a page in it, without waiting for its end; whether that began."""
