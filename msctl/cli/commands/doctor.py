"""`msctl doctor`: what is wrong with machine or stack, and how to mend it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING

from msctl.cli.group import command as command_named
from msctl.cli.session import Session, in_session
from msctl.errors import MsctlError, StackFileError
from msctl.shellwords import quoted

if TYPE_CHECKING:
    from msctl.config import LoadedStack
    from msctl.doctor import Finding
    from msctl.engines.base import Engine
    from msctl.state import StackState

_PATIENCE = 5.0
"""Seconds that `docker compose version` may take."""


@command_named("doctor")
@in_session
def command(session: Session) -> int:
    """Find what is wrong with machine or stack, and how to mend it.

    Ends with status 1 when something fails. Changes nothing.
    """
    findings = []
    for finding in examine(session):
        findings.append(finding)
        if not session.options.json:
            _show(session, finding)
    failed = any(finding.status == "fail" for finding in findings)
    if session.options.json:
        record = {"healthy": not failed, "findings": [asdict(finding) for finding in findings]}
        session.ui.json(record)
    return 1 if failed else 0


def examine(session: Session) -> Iterator[Finding]:
    """Every finding, as it comes."""
    from msctl import doctor

    loaded: LoadedStack | None = None
    try:
        loaded = session.load()
        yield doctor.Finding("stack file", "ok", f"{session.shown(loaded.path)} is right")
        yield from _blanks(session, loaded)
    except StackFileError as error:
        for problem in error.problems:
            yield doctor.Finding("stack file", "fail", problem)
    except MsctlError as error:
        yield doctor.failure("stack file", error)
    try:
        engine = session.connect(loaded or _no_stack(session.app.cwd))
        yield doctor.of_engine(engine.info())
    except MsctlError as error:
        yield doctor.failure("engine", error)
        return
    if engine.on_host:
        yield from doctor.of_limits(engine.info())
        yield doctor.of_compose(_compose_version(session.app.environ))
        yield from _disk(engine)
    if loaded is None:
        return
    try:
        yield from _stack(session, loaded, engine)
    except MsctlError as error:
        yield doctor.failure("stack", error)


def _blanks(session: Session, loaded: LoadedStack) -> Iterator[Finding]:
    """What is not set is empty in files of variables, as for Compose; in a password with a `$` it
    is the end of a word that is lost."""
    from msctl.config import blank_references
    from msctl.doctor import Finding

    for file, blank in blank_references(loaded, session.app.environ):
        message = (
            f"{session.shown(file)}:{blank.line}: {blank.name}: ${blank.variable} is not set, and "
            "stands for nothing"
        )
        yield Finding("variables", "warn", message, "in single quotes, a $ is a plain one")


def _elsewhere(session: Session, loaded: LoadedStack) -> Iterator[Finding]:
    from msctl.cli.commands.render import led_elsewhere
    from msctl.doctor import Finding

    if found := led_elsewhere(session, loaded):
        yield Finding("project", "warn", *found)


def _stack(session: Session, loaded: LoadedStack, engine: Engine) -> Iterator[Finding]:
    from msctl import doctor
    from msctl.cli.commands.render import stale
    from msctl.cli.commands.status import look
    from msctl.doctor import isolation

    stack, state = loaded.stack, engine.observe(detail=True)
    if rendered := stale(session, loaded):
        hint = session.again(f"render compose -o {quoted(rendered)}")
        yield doctor.Finding("rendered", "warn", f"{rendered} is stale", hint)
    yield from _secrets(loaded)
    yield from isolation.of_databases(stack)
    yield from isolation.of_metrics(stack) if engine.on_host else ()
    if engine.on_host:
        yield from _privileges(session, loaded)
        yield from _elsewhere(session, loaded)
        yield from _gateway(session, loaded, state)
        yield from doctor.of_checks(stack)
        yield from doctor.of_memory(stack, state.engine)
        yield from doctor.of_images(stack, state, session.again)
    yield from _lock(session, engine, stack.name)
    yield doctor.of_clock(state, session.app.now())
    yield from _would_go_up(loaded, engine)
    yield from doctor.of_status(look(session, loaded, engine))


def _privileges(session: Session, loaded: LoadedStack) -> Iterator[Finding]:
    from msctl.config import places
    from msctl.doctor import Finding
    from msctl.doctor.privileges import SOCKETS, privileges

    host = session.app.environ.get("DOCKER_HOST", "")
    sockets = {*SOCKETS, *([host.removeprefix("unix://")] if host.startswith("unix://") else [])}
    sockets |= {os.path.realpath(socket) for socket in sockets}
    found = list(privileges(loaded.stack, str(loaded.folder), sockets, os.path.realpath))
    where = places(loaded.path, [one.path for one in found], shown_as=session.shown(loaded.path))
    for one, place in zip(found, where, strict=True):
        yield Finding("privileges", "warn", f"{place}: {one.message}", one.hint)
    if not found:
        yield Finding("privileges", "ok", "no service is given more of the machine than its own")


def _would_go_up(loaded: LoadedStack, engine: Engine) -> Iterator[Finding]:
    """A plan for `up` meets taken ports, too few CPUs and lost secrets, and changes nothing."""
    from msctl import doctor
    from msctl.request import Up

    try:
        steps = [step for plan in engine.plans(Up(dry_run=True)) for step in plan.steps()]
    except MsctlError as error:
        yield doctor.failure("up", error)
        return
    if engine.on_host and (ports := doctor.published(loaded.stack)):
        yield doctor.Finding("ports", "ok", f"free, or the stack's own: {', '.join(ports)}")
    yield doctor.of_plan(steps)


def _lock(session: Session, engine: Engine, project: str) -> Iterator[Finding]:
    from msctl import doctor

    try:
        lock = session.lock(engine, project)
    except MsctlError as error:
        yield doctor.failure("lock", error)
        return
    if holder := lock.holder():
        message = f"another msctl works on {project}: {holder}"
        yield doctor.Finding("lock", "warn", message, "wait until it has ended")
    else:
        yield doctor.Finding("lock", "ok", f"no other msctl works on {project}")


def _gateway(session: Session, loaded: LoadedStack, state: StackState) -> Iterator[Finding]:
    from msctl import doctor
    from msctl.cli.readings import certificate, gateway_runs
    from msctl.tls.places import authority_file

    stack = loaded.stack
    if not stack.routed:
        return
    if stack.gateway.tls_on:
        own = authority_file(loaded.folder)
        shown = certificate(session, stack) if gateway_runs(state) else None
        path = str(own) if own.is_file() else None
        yield doctor.of_certificate(stack, path, shown, session.app.now())
    if finding := doctor.of_dashboard(stack):
        yield finding


def _secrets(loaded: LoadedStack) -> Iterator[Finding]:
    from msctl import doctor

    if not any(service.secrets for service in loaded.stack.services.values()):
        return
    folder = loaded.folder / ".msctl" / "secrets"
    if not hasattr(os, "getuid"):
        return  # the permissions of Windows are no mode bits
    try:
        found = folder.stat()
    except FileNotFoundError:
        yield doctor.of_secrets(str(folder), None, owned=True)
        return
    owned = found.st_uid == os.getuid() or os.getuid() == 0
    yield doctor.of_secrets(str(folder), found.st_mode & 0o777, owned)


def _disk(engine: Engine) -> Iterator[Finding]:
    """Only of an engine whose folder is on this machine: elsewhere it is not known."""
    from msctl import doctor

    info = engine.info()
    if info.address.startswith("unix://") and info.folder and os.path.isdir(info.folder):
        yield doctor.of_disk(info.folder, shutil.disk_usage(info.folder).free)


def _compose_version(environ: Mapping[str, str]) -> str | None:
    docker = shutil.which("docker", path=environ.get("PATH"))
    if docker is None:
        return None
    try:
        done = subprocess.run(
            [docker, "compose", "version", "--short"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            env=dict(environ),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


def _no_stack(folder: Path) -> LoadedStack:
    """For a look at the engine when there is no stack file, or none that is right."""
    from msctl.config import LoadedStack
    from msctl.model import Stack

    stack = Stack.read({"name": "doctor", "services": {}})
    return LoadedStack(stack, folder / "stack.yaml", folder)


def _show(session: Session, finding: Finding) -> None:
    from msctl.views import Block, Cell, Paragraph

    style = {"ok": "green", "warn": "yellow", "fail": "bold red"}[finding.status]
    mark = Cell(f"{finding.status:4}", style)
    indent = Cell(" " * 18)
    leads = chain([[mark, Cell(f"  {finding.area:10}  ", "bold")]], repeat([indent]))
    texts = zip(leads, finding.message.splitlines(), strict=False)
    blocks: list[Block] = [Paragraph(lead, Cell(text)) for lead, text in texts]
    blocks += [[indent, Cell(line, "cyan")] for line in (finding.hint or "").splitlines()]
    session.ui.show(blocks)
