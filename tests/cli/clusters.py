"""A user at a terminal, with the shop's stack file and a cluster."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from answering import Answering
from apiserver import ApiServer
from terminal import Answer, nobody, typed

from msctl.cli.app import App
from msctl.monitoring.prometheus import PrometheusApi

SHOP = """\
name: shop
services:
  web:
    image: web:1
    port: 8080
    routes: [/]
    replicas: {initial: 2, max: 6}
    health: {path: /health}
    rollout: {health_timeout: 5s}
    needs: [api]
  api:
    image: api:1
    port: 8000
    routes: [{path: /api, strip: true}]
    health: {path: /health}
    resources: {cpus: 1, memory: 64M, reserve: {cpus: 0.5}}
    autoscale: {min: 2, max: 4, cpu: 70%}
    needs: [db, migrate]
  migrate:
    image: migrate:1
    job: true
    needs: [db]
  db:
    image: db:1
    stateful: true
    volumes: ["data:/data"]
    secrets: [db-password]
"""


@dataclass
class Site:
    """A working folder, a cluster, and `msctl --engine kubernetes`."""

    folder: Path
    api: ApiServer
    asks: bool = False
    environ: dict[str, str] = field(default_factory=dict)
    prometheus: Any = nobody
    """Answers the requests to Prometheus, as a handler of httpx's."""

    def __post_init__(self) -> None:
        self.environ["KUBECONFIG"] = str(self.api.kubeconfig(self.folder))
        self.write(SHOP)

    def write(self, text: str) -> None:
        (self.folder / "stack.yaml").write_text(text)

    def edit(self, old: str, new: str) -> None:
        path = self.folder / "stack.yaml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def msctl(self, *words: str, answer: str | None = None) -> Answer:
        """Run one command."""
        app = App(
            environ=self.environ,
            cwd=self.folder,
            prometheus=lambda url: PrometheusApi(url, ask=Answering(self.prometheus)),
            certificate=lambda *_: None,
            lock_folder=self.folder / ".locks",
            now=lambda: datetime(2030, 1, 1, 1, 0, tzinfo=UTC),
            sleep=lambda _: None,
            asks=lambda: self.asks,
        )
        return typed(app, ["--engine", "kubernetes", *words], answer)


def image_of(shop: Site, name: str, plural: str = "deployments.apps") -> str:
    """The image in a workload's template."""
    pod = shop.api.get(plural, name)["spec"]["template"]["spec"]
    found: str = pod["containers"][0]["image"]
    return found
