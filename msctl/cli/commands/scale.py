"""`msctl scale`: change how many replicas services have."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from msctl.cli import complete
from msctl.cli.group import command as command_named
from msctl.cli.options import shows, waits
from msctl.cli.session import Session, in_session
from msctl.errors import UsageProblem

if TYPE_CHECKING:
    from msctl.model import Stack

_ALL = "all"
_USAGE = "scale web 3, scale all 3, or scale web=3 api=4"


@command_named("scale", context_settings={"ignore_unknown_options": True})  # -1 is a count
@click.argument(
    "words",
    metavar="SERVICE N | all N | SERVICE=N...",
    nargs=-1,
    required=True,
    shell_complete=complete.counted,
)
@shows
@waits
@in_session
def command(
    session: Session,
    words: tuple[str, ...],
    *,
    timeout: float | None,
    no_drain: bool,
    dry_run: bool,
) -> None:
    """Change how many replicas a service has.

    New replicas are copies of those that run: an edited stack file is not deployed. They get
    requests when they are healthy. `all` names every service that starts with 2 replicas or more,
    or is scaled by its load, except stateful ones and jobs. The scale lasts: `msctl up` keeps it.
    """
    _refuse_options(words)
    from msctl.cli import summary
    from msctl.cli.converge import carry_out
    from msctl.cli.progress import By
    from msctl.request import Scale

    loaded = session.load()
    counts = wanted(words, loaded.stack)
    session.known(loaded, tuple(counts))
    engine = session.connect(loaded)
    request = Scale(counts, timeout=timeout, drain=not no_drain)
    run = carry_out(session, loaded, engine, request, By.TARGET, dry_run=dry_run)
    if run is not None:
        summary.scale(session, loaded, engine, run, tuple(counts))


def _refuse_options(words: Sequence[str]) -> None:
    for word in words:
        if word.startswith("-") and not re.match(r"-[\d.]", word):
            raise click.NoSuchOption(word, ctx=click.get_current_context())


def wanted(words: Sequence[str], stack: Stack) -> dict[str, int]:
    """Replicas by service.

    Raises:
        UsageProblem: the words are none of the three forms, or a count is no number.
    """
    if any("=" in word for word in words):
        pairs = [tuple(word.split("=", 1)) for word in words]
        if bad := [pair[0] for pair in pairs if len(pair) != 2]:
            raise UsageProblem(f"{bad[0]}: a number of replicas is missing", hint=_hint())
    elif len(words) == 2:
        pairs = [(words[0], words[1])]
    else:
        raise UsageProblem("a service and a number of replicas are expected", hint=_hint())
    counts: dict[str, int] = {}
    for name, text in pairs:
        names = _scaled_together(stack) if name == _ALL and _ALL not in stack.services else [name]
        for service in names:
            if service in counts:
                raise UsageProblem(f"{service} is named twice", hint=_hint())
            counts[service] = _count(service, text, stack)
    return counts


def _hint() -> str:
    return f"msctl {_USAGE}"


def _count(service: str, text: str, stack: Stack) -> int:
    if re.fullmatch(r"[+-]?\d{1,9}", text, re.ASCII):
        return int(text)
    found = stack.services.get(service)
    bounds = f", {found.replicas.min} to {found.replicas.max}" if found else ""
    raise UsageProblem(f"{service}: '{text}' is not a number of replicas (a whole number{bounds})")


def _scaled_together(stack: Stack) -> list[str]:
    """The services that `all` names."""
    names = [
        name
        for name, service in stack.services.items()
        if not service.stateful
        and not service.job
        and (service.replicas.initial >= 2 or service.autoscale is not None)
    ]
    if not names:
        raise UsageProblem(
            f"all: no service of {stack.name} starts with 2 replicas or more, or autoscales",
            hint=_hint(),
        )
    return names
