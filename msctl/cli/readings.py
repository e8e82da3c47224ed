"""What `status` asks beside the engine's lists and the gateway's API; all of it at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msctl.errors import MsctlError
from msctl.frozen import dataclass

if TYPE_CHECKING:
    from msctl.assessment import PrometheusStatus, Readings
    from msctl.cli.session import Session
    from msctl.engines.base import Engine
    from msctl.model import Stack
    from msctl.state import Certificate, StackState, Traffic

LINES = 2000
"""Of the gateway's log, at the most."""


@dataclass(frozen=True)
class Gathering:
    """Questions under way; each ends within its own deadline of two seconds."""

    session: Session
    engine: Engine
    load: bool
    traffic: Future[tuple[PrometheusStatus | None, Mapping[str, Traffic]]]
    answers: Future[Mapping[str, Sequence[float]]]
    certificate: Future[Certificate | None]

    def readings(self, state: StackState) -> Readings:
        """All of it, once the engine's lists are there; what did not answer is unknown."""
        from msctl.assessment import Readings

        usage = self.engine.usage(state) if self.load else {}
        prometheus, traffic = self.traffic.result()
        shown = self.certificate.result()
        return Readings(
            usage,
            traffic,
            self.answers.result(),
            prometheus,
            shown if gateway_runs(state) else None,
            at=self.session.app.now(),
        )


@contextmanager
def gathering(session: Session, stack: Stack, engine: Engine, *, load: bool) -> Iterator[Gathering]:
    """Begin to ask, while the engine is asked too."""
    with ThreadPoolExecutor(3, thread_name_prefix="msctl-status") as pool:
        yield Gathering(
            session,
            engine,
            load,
            pool.submit(_traffic, session, stack, engine, load=load),
            pool.submit(_answers, session, engine, load=load),
            pool.submit(lambda: certificate(session, stack) if engine.on_host else None),
        )


def _traffic(
    session: Session, stack: Stack, engine: Engine, *, load: bool
) -> tuple[PrometheusStatus | None, Mapping[str, Traffic]]:
    """Only a Prometheus that the stack runs is asked where nobody wants its numbers."""
    if not load and ("prometheus" not in stack.services or not engine.on_host):
        return None, {}
    from msctl.addresses import prometheus_url
    from msctl.assessment import PrometheusStatus
    from msctl.monitoring.prometheus import PrometheusSilent

    url = prometheus_url(stack, session.app.environ)
    routed = [name for name, service in stack.services.items() if service.routes]
    try:
        with session.app.prometheus(url) as prometheus:
            if load:
                home = session.home(stack)
                return PrometheusStatus(url, True), prometheus.traffic(routed, home)
            prometheus.instant("vector(1)")
            return PrometheusStatus(url, True), {}
    except PrometheusSilent:
        return PrometheusStatus(url, False), {}


def _answers(session: Session, engine: Engine, *, load: bool) -> Mapping[str, Sequence[float]]:
    """What the gateway has logged in the last minute."""
    if not load:
        return {}
    from msctl.model import GATEWAY
    from msctl.monitoring.latencies import read_answers

    since = session.app.now() - timedelta(minutes=1)
    try:
        return read_answers(line.text for line in engine.logs((GATEWAY,), tail=LINES, since=since))
    except MsctlError:
        return {}  # its container has ended, or the engine is too busy: unknown


def gateway_runs(state: StackState) -> bool:
    """Else what is shown at its port is another's, who has that meanwhile."""
    from msctl.model import GATEWAY

    return any(replica.running for replica in state.of(GATEWAY))


def certificate(session: Session, stack: Stack) -> Certificate | None:
    """What the gateway shows for the first host that it serves."""
    from msctl.addresses import published_url

    url = published_url(stack.gateway) if stack.routed and stack.gateway.tls_on else None
    if url is None:
        return None
    at = urlsplit(url)
    hosts = [route.host for one in stack.services.values() for route in one.routes if route.host]
    host = at.hostname or "localhost"
    return session.app.certificate(host, at.port or 443, hosts[0] if hosts else host)
