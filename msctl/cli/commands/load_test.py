"""`msctl load-test`: requests to a service, and which replica each of them went to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from msctl.cli import complete
from msctl.cli.group import command as command_named
from msctl.cli.options import deadline
from msctl.cli.session import Session, in_session
from msctl.errors import UsageProblem

if TYPE_CHECKING:
    from msctl.model import Stack

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_COUNT = click.IntRange(min=1, max=10_000_000)


@command_named("load-test")
@click.argument("service", shell_complete=complete.having("routes"))
@click.option("--requests", type=_COUNT, metavar="N", help="Requests in all.")
@click.option(
    "--delay",
    type=click.FloatRange(min=0, max=3_600_000),
    metavar="MS",
    help="Pause between an answer and the next request.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(min=1, max=1000),
    metavar="N",
    help="Closed loop: so many requests under way.",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, max=100_000, min_open=True),
    metavar="R",
    help="Open loop: requests a second, whatever the answers.",
)
@click.option("--duration", type=deadline, metavar="S", help="How long: 20, 90s or 1m30s.")
@click.option("--sticky", is_flag=True, help="With cookies: does each client stay on its replica?")
@click.option("--clients", type=click.IntRange(1, 1000), metavar="N", help="Of --sticky (10).")
@click.option("--path", metavar="P", help="Path behind the first route, or of any route, whole.")
@click.option(
    "--method",
    type=click.Choice(_METHODS, case_sensitive=False),
    default="GET",
    metavar="M",
    help="HTTP method (GET).",
)
@click.option(
    "--timeout", type=deadline, default="10", metavar="S", help="For each whole answer (10)."
)
@click.option(
    "--report",
    metavar="FILE",
    help="Write a page (HTML) with charts.",
    shell_complete=complete.files,
)
@in_session
def command(
    session: Session,
    service: str,
    *,
    requests: int | None,
    delay: float | None,
    concurrency: int | None,
    rate: float | None,
    duration: float | None,
    sticky: bool,
    clients: int | None,
    path: str | None,
    method: str,
    timeout: float,
    report: str | None,
) -> int:
    """Send requests to a service through the gateway, and count what each replica got.

    Without options: 20 requests one after the other, 500 ms apart. --requests or --duration alone:
    without a pause. An answer of 400 or more, a timeout and a connection that fails are failures,
    and end it with status 1. Latency counts from when a request was meant to start.

    \b
    msctl load-test web                           20 requests, each of them shown
    msctl load-test web --rate 300 --duration 20  by the clock, as users come
    msctl load-test web --concurrency 50          50 at once, for 10 s
    msctl load-test web --sticky --requests 200   does a client stay on its replica?
    """
    from msctl.cli.loadtesting import LoadTest
    from msctl.cli.outputs import output_path
    from msctl.loadtest.shape import shape
    from msctl.loadtest.target import target
    from msctl.tls.places import read_authority

    wanted = shape(
        requests=requests,
        delay=None if delay is None else delay / 1000,
        concurrency=concurrency,
        rate=rate,
        seconds=duration,
        sticky=sticky,
        clients=clients,
    )
    loaded = session.load()
    goal = target(loaded.stack, service, path=path, method=method.upper(), timeout=timeout)
    if sticky:
        _check_sticky(loaded.stack, service)
    page = None
    if report is not None:
        page = output_path(session, "--report", report, name=f"{service}.html")
    engine = session.connect(loaded)
    if loaded.stack.gateway.tls.mode == "self-signed":
        goal = replace(goal, authority=read_authority(loaded.folder))
    test = LoadTest(session, engine, service, wanted, goal.at(engine.info().address))
    found = test.run()
    status = test.tell(found)
    if page is not None:
        test.write_report(found, page)
    return status


def _check_sticky(stack: Stack, service: str) -> None:
    if stack.services[service].sticky is None:
        raise UsageProblem(
            f"{service} has no sticky cookie: nothing keeps a client on its replica",
            hint=f"add sticky: {service}_session to services.{service}, then msctl up {service}",
        )
