"""`msctl autoscale`: give services as many replicas as their load asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from msctl.cli import complete
from msctl.cli.group import command as command_named
from msctl.cli.session import Session, in_session
from msctl.errors import UsageProblem

if TYPE_CHECKING:
    from msctl.autoscale.policy import Policy
    from msctl.cli.autoscale_teller import Teller
    from msctl.cli.autoscaling import Verdict
    from msctl.cli.rounds import Rounds
    from msctl.config import LoadedStack

_TICK = 1.0
"""Seconds between two drawings of the live table, which counts down."""


@command_named("autoscale")
@click.argument(
    "services", metavar="[SERVICE]...", nargs=-1, shell_complete=complete.having("autoscale")
)
@click.option("--once", is_flag=True, help="One round only.")
@click.option("--dry-run", is_flag=True, help="Decide, and change nothing.")
@click.option(
    "--interval",
    type=click.FloatRange(1, 3600),
    metavar="S",
    help="Seconds between two decisions, instead of the stack file's.",
)
@click.option(
    "--metrics",
    "port",
    type=click.IntRange(1, 65535),
    metavar="PORT",
    help="Serve what is decided on this port, for Prometheus.",
)
@in_session
def command(
    session: Session,
    services: tuple[str, ...],
    *,
    once: bool,
    dry_run: bool,
    interval: float | None,
    port: int | None,
) -> int:
    """Give services as many replicas as their load asks for, until Ctrl-C.

    By the rules of Kubernetes's Horizontal Pod Autoscaler and each service's `autoscale` in the
    stack file: all that have one, or the named ones. Up at once, down when fewer have been enough
    for `stabilize_down`: that is counted from the start, so that `--once` takes none away unless
    it is 0s. A scale by hand stays until the load changes.
    """
    from msctl.addresses import prometheus_url
    from msctl.cli.autoscale_teller import Teller
    from msctl.cli.autoscaling import Autoscaler
    from msctl.cli.loadsource import LoadSource
    from msctl.cli.rounds import Rounds
    from msctl.cli.signals import Terminated, told_apart
    from msctl.cli.troubles import Troubles

    loaded = session.load()
    policies = _policies(session, loaded, session.known(loaded, services))
    if interval is not None:
        policies = {n: replace(policy, interval=interval) for n, policy in policies.items()}
    url = prometheus_url(loaded.stack, session.app.environ)
    engine = session.connect(loaded)
    if not engine.on_host:
        raise UsageProblem(
            f"msctl autoscale is not for {engine.name}, whose own autoscalers do that",
            hint=f"{session.again('up')} gives it what services have under autoscale",
        )
    engine.info()  # a stack without an engine is an error; one that goes away later is waited for
    teller = Teller(session, loaded.stack.name, dry_run=dry_run, once=once)
    troubles = Troubles(teller.say)
    source = LoadSource(session.app, url, troubles)
    decided = teller.decided if port is None else _exporting(port, teller)
    scaler = Autoscaler(session, loaded, engine, policies, source, troubles, dry_run, decided)
    intervals = {name: policy.interval for name, policy in policies.items()}
    rounds = Rounds(intervals, session.app.clock)
    try:
        with told_apart(), teller.open():
            while True:
                teller.told(scaler.round(rounds.due()))
                if once:
                    return _status(troubles.told)
                _wait(session, rounds, teller)
    except Terminated:
        return 0
    except KeyboardInterrupt:
        return 130  # the way to end it, not worth a message


def _exporting(port: int, teller: Teller) -> Callable[[Sequence[Verdict]], None]:
    """Metrics of decisions, as they are made.

    Raises:
        MsctlError: the port is taken.
    """
    from msctl.monitoring.exporter import Exporter

    exporter = Exporter()
    exporter.serve(port)

    def decided(verdicts: Sequence[Verdict]) -> None:
        for one in verdicts:
            exporter.decided(one.service, one.current, one.decision, one.cpu)
        teller.decided(verdicts)

    return decided


def _policies(session: Session, loaded: LoadedStack, named: Sequence[str]) -> Mapping[str, Policy]:
    """Those of the named services, else of all that have one.

    Raises:
        UsageProblem: a named one has none, or the whole stack has none.
    """
    from msctl.autoscale.policy import policy_of

    stack = loaded.stack
    found = {name: policy_of(service) for name, service in stack.services.items()}
    policies = {name: policy for name, policy in found.items() if policy is not None}
    lacking = [name for name in named if name not in policies]
    example = "autoscale: {min: 1, max: 4, cpu: 70%}"
    if lacking or not policies:
        who, where = (
            (lacking[0], lacking[0]) if lacking else (f"no service of {stack.name}", "NAME")
        )
        has = "has no autoscale" if lacking else "has autoscale"
        raise UsageProblem(
            f"{who} {has} in {session.shown(session.file)}, so that there is nothing to go by",
            hint=f"write {example} under services.{where}",
        )
    return {name: policies[name] for name in named or policies}


def _status(troubles: set[str]) -> int:
    """Of `--once`: 0 when what was decided was done."""
    from msctl.cli.autoscaling import SCALING

    if "lock" in troubles:
        return 4
    if "engine" in troubles:
        return 3
    return 1 if any(topic.startswith(f"{SCALING} ") for topic in troubles) else 0


def _wait(session: Session, rounds: Rounds, teller: Teller) -> None:
    """Until the next service is due; a live table counts down meanwhile."""
    while (left := rounds.patience()) > 0:
        teller.draw(f"next round in {left:.0f} s")
        session.app.sleep(min(left, _TICK) if teller.live else left)
