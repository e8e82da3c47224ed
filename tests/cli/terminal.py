"""A user at a terminal without colours, on a machine in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from answering import Answering
from click.testing import CliRunner
from memory import MemoryEngine, World

from msctl.cli.app import App
from msctl.cli.group import cli
from msctl.config import LoadedStack
from msctl.engines import ENGINES, connect
from msctl.engines.base import Engine
from msctl.gateway import GatewayApi
from msctl.monitoring.prometheus import PrometheusApi
from msctl.state import Certificate

SHOP = """\
name: shop
gateway: {socket_proxy: off}
services:
  web:
    image: web:1
    port: 80
    routes: [/]
    health: {path: /health}
    needs: [api]
  api:
    image: api:1
    port: 8000
    routes: [{path: /api, strip: true}]
    health: {path: /health}
    replicas: 2
    needs: [db]
  db:
    image: db:1
    stateful: true
    volumes: ["data:/data"]
"""


@dataclass(frozen=True)
class Answer:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.err.splitlines()


def typed(app: App, words: Sequence[str], answer: str | None = None) -> Answer:
    """Run one command; `answer` is what is typed where it asks."""
    result = CliRunner().invoke(cli, list(words), obj=app, input=answer, prog_name="msctl")
    return Answer(result.exit_code, result.stdout, result.stderr)


def nobody(_: httpx.Request) -> httpx.Response:
    """Nobody is there."""
    raise httpx.ConnectError("Connection refused")


@dataclass
class Terminal:
    """A working folder, a machine, and `msctl`."""

    folder: Path
    world: World = field(default_factory=World)
    environ: dict[str, str] = field(default_factory=dict)
    asks: bool = False
    sleep: Any = lambda _seconds: None
    prometheus: Any = nobody
    """Answers the requests to Prometheus, as a handler of httpx's."""
    gateway: Any = nobody
    """Answers what is asked of the gateway's counters, as a handler of httpx's."""
    certificate: Certificate | None = None
    """What the gateway shows by HTTPS."""
    asked: list[str] = field(default_factory=list)
    """The addresses of the Prometheus that was asked."""
    browses: bool = False
    opened: list[str] = field(default_factory=list)
    """The pages that were opened in the browser."""
    now: Any = lambda: datetime(2030, 1, 1, 1, 0, tzinfo=UTC)
    send: Any = None
    """What sends the requests of a load test."""

    def write(self, text: str, name: str = "stack.yaml") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def connect(
        self,
        name: str,
        loaded: LoadedStack,
        environ: Mapping[str, str],
        warn: Callable[[str], None],
    ) -> Engine:
        if name not in ENGINES:
            return connect(name, loaded, environ, warn)
        return MemoryEngine(self.world, loaded.stack, str(loaded.folder))

    def ask(self, url: str) -> PrometheusApi:
        self.asked.append(url)
        return PrometheusApi(url, ask=Answering(self.prometheus))

    def browse(self, url: str) -> bool:
        self.opened.append(url)
        return True

    def msctl(self, *words: str, answer: str | None = None) -> Answer:
        """Run one command, as `msctl WORDS` would."""
        app = App(
            environ=self.environ,
            cwd=self.folder,
            connect=self.connect,
            prometheus=self.ask,
            gateway=lambda url: GatewayApi(url, ask=Answering(self.gateway)),
            certificate=lambda *_: self.certificate,
            lock_folder=self.folder / ".locks",
            clock=self.world.clock,
            now=self.now,
            send=self.send,
            sleep=self.sleep,
            asks=lambda: self.asks,
            browses=lambda: self.browses,
            browse=self.browse,
        )
        return typed(app, words, answer)
