"""`msctl metrics`: requests, latencies and errors of each service, from Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from msctl.cli import complete
from msctl.cli.group import command as command_named
from msctl.cli.session import Session, in_session
from msctl.errors import MsctlError, UsageProblem

if TYPE_CHECKING:
    from msctl.model import Stack
    from msctl.monitoring.metrics import Metrics
    from msctl.monitoring.prometheus import PrometheusSilent


@command_named("metrics")
@click.argument("service", required=False, shell_complete=complete.having("routes"))
@in_session
def command(session: Session, service: str | None) -> None:
    """Show requests a second, latencies, errors and servers of each service.

    The figures are those of the last minute, the lines of bars those of the last 15. They come
    from Prometheus: $MSCTL_PROMETHEUS, else metrics.prometheus of the stack file.
    """
    loaded = session.load()
    stack = loaded.stack
    if service is not None:
        session.known(loaded, [service])
        _check_routed(session, stack, service)
    elif not stack.routed:
        raise UsageProblem(
            f"no service of {stack.name} has routes, so that no gateway counts requests"
        )
    found = _ask(session, stack, service)
    if session.options.json:
        session.ui.json(found.record())
        return
    from msctl.cli.metrics_view import view, view_of_one

    if not found.scraped:
        session.ui.note(
            f"Prometheus at {found.prometheus} has no numbers of a gateway: it has not scraped it "
            "yet, or its scrape_configs do not name it (traefik:8080)"
        )
    spark = session.ui.spark
    session.ui.show(view(found, spark) if service is None else view_of_one(found, spark))


def _check_routed(session: Session, stack: Stack, service: str) -> None:
    if service not in stack.services:
        raise UsageProblem(
            f"{service} is the gateway: what it counts is told by service",
            hint=session.again("metrics"),
        )
    if not stack.services[service].routes:
        raise UsageProblem(
            f"{service} has no routes, so that the gateway counts nothing of it",
            hint=session.again(f"status {service}"),
        )


def _ask(session: Session, stack: Stack, only: str | None) -> Metrics:
    """What Prometheus knows now of the stack, or of one service."""
    from msctl.addresses import prometheus_url
    from msctl.monitoring.metrics import history_query, history_times, now_query, read_metrics
    from msctl.monitoring.prometheus import PrometheusSilent
    from msctl.monitoring.queries import WINDOW_SECONDS
    from msctl.render.traefik.routers import router_names

    services = [name for name, one in stack.services.items() if one.routes and only in (None, name)]
    routers = [r for name in services for r in router_names(name, stack.services[name])]
    url, now = prometheus_url(stack, session.app.environ), session.app.now().astimezone()
    times, home = history_times(now), session.home(stack)
    try:
        with session.app.prometheus(url) as prometheus:
            current = prometheus.instant(now_query(services, home))
            history = prometheus.range(
                history_query(services, home), times[0].timestamp(), now.timestamp(), WINDOW_SECONDS
            )
    except PrometheusSilent as error:
        raise _silent(session, stack, url, error) from None
    return read_metrics(
        current,
        history,
        project=stack.name,
        prometheus=url,
        time=now,
        services=services,
        routers=routers,
        namespace=home,
    )


def _silent(session: Session, stack: Stack, url: str, error: PrometheusSilent) -> MsctlError:
    """What does not answer, whence its address, and what to type next."""
    from msctl.variables import PROMETHEUS

    if session.app.environ.get(PROMETHEUS):
        origin, hint = f"${PROMETHEUS}", f"correct ${PROMETHEUS}, or unset it"
    else:
        origin = f"metrics.prometheus of {session.shown(session.file)}"
        hint = f"set metrics.prometheus, or ${PROMETHEUS}, to the one that scrapes traefik"
        if "prometheus" in stack.services:
            forward = session.forward(stack)
            hint = session.again("up prometheus")
            if forward is not None:
                hint = forward.format(service="prometheus", port=9090)
    return MsctlError(f"Prometheus does not answer at {url} ({origin}): {error}", hint=hint)
