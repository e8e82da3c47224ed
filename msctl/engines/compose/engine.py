"""A stack on a Docker engine, compatible with Docker Compose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from msctl.engines.compose.api.client import Client
from msctl.engines.compose.desired import Desired, desired
from msctl.engines.compose.observing.files import digest
from msctl.engines.compose.observing.observe import Observer
from msctl.errors import UsageProblem
from msctl.fields import is_http_url, shown
from msctl.variables import GATEWAY_API

if TYPE_CHECKING:
    from msctl.config import LoadedStack
    from msctl.engines.base import LogLine
    from msctl.engines.compose.observing.usage import Meter
    from msctl.engines.compose.work import Work
    from msctl.execute import Watch
    from msctl.model import Stack
    from msctl.plan import Step
    from msctl.request import Plans, Request
    from msctl.state import EngineInfo, StackState, Usage


def connect(
    loaded: LoadedStack, environ: Mapping[str, str], warn: Callable[[str], None]
) -> ComposeEngine:
    """Raises:
    EngineUnreachable: no engine answers.
    """
    return ComposeEngine(loaded, environ, warn)


class ComposeEngine:
    """See `msctl.engines.base.Engine`."""

    name = "compose"
    on_host = True

    def __init__(
        self, loaded: LoadedStack, environ: Mapping[str, str], warn: Callable[[str], None]
    ) -> None:
        self._stack = loaded.stack
        self._client = Client(environ, warn)
        self._observer = Observer(
            self._client, loaded.stack.name, gateway_url(loaded.stack, environ)
        )
        self._whole: Desired = desired(loaded.stack, str(loaded.folder), digest)

    @cached_property
    def _meter(self) -> Meter:
        """What weighs containers; it is loaded for those who want their load."""
        from msctl.engines.compose.observing.usage import Meter

        return Meter.of(self._client)

    @cached_property
    def _work(self) -> Work:
        """What changes a stack; who only looks does not load it."""
        from msctl.engines.compose.work import Work

        return Work(self._client, self._observer, self._stack, self._whole, self._observe)

    def info(self) -> EngineInfo:
        return self._observer.info()

    def observe(self, *, detail: bool = False) -> StackState:
        return self._observe((), detail=detail)

    def _observe(self, images: Sequence[str], *, detail: bool = False) -> StackState:
        revisions = self._whole.revisions.values()
        return self._observer.observe(
            images=[*images, *(revision.image for revision in revisions)],
            secrets=[str(s["file"]) for r in revisions for s in r.secrets.values()],
            detail=detail,
        )

    def usage(self, state: StackState) -> Mapping[str, Usage]:
        if not state.engine.limits:
            return {}  # it would tell what all of them take, for each
        return self._meter.usage([c.id for c in state.containers if c.running])

    def plans(self, request: Request) -> Plans:
        return self._work.planner.plans(request)

    def desired(self, state: StackState) -> Desired:
        return self._work.planner.desired(state)

    def perform(self, step: Step, tell: Callable[[str], None]) -> None:
        self._work.performer.perform(step, tell)

    def watch(self, changed: Callable[[], None]) -> AbstractContextManager[Watch]:
        return self._work.watch(changed)

    def logs(
        self,
        services: tuple[str, ...],
        *,
        follow: bool = False,
        tail: int | None = None,
        since: datetime | None = None,
    ) -> Iterator[LogLine]:
        from msctl.engines.compose.observing.logs import Follower, merged

        replicas = tuple(
            c for c in self._observer.containers() if not services or c.service in services
        )
        if follow:
            return Follower(self._client, self._stack.name, services).follow(replicas, tail, since)
        return merged(self._client, replicas, tail, since)


def gateway_url(stack: Stack, environ: Mapping[str, str]) -> str | None:
    """Where msctl asks the gateway's API; None when that is published nowhere.

    Raises:
        UsageProblem: the environment's is no URL.
    """
    if not stack.routed:
        return None
    if address := environ.get(GATEWAY_API):
        if not is_http_url(address):
            raise UsageProblem(
                f"${GATEWAY_API}: {shown(address)} is not a URL (such as http://127.0.0.1:8080)"
            )
        return address.rstrip("/")
    if stack.gateway.api:
        return stack.gateway.api
    if stack.gateway.dashboard is None:
        return None
    host, _, port = stack.gateway.dashboard.rpartition(":")
    return f"http://{'127.0.0.1' if host in ('', '0.0.0.0') else host}:{port}"
