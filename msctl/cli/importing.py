"""`msctl import`: a Compose file taken over as a stack file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from msctl.cli.group import command as command_named
from msctl.cli.init import name_of
from msctl.cli.outputs import output_path, write_whole
from msctl.cli.session import Session, in_session
from msctl.cli.words import plural
from msctl.errors import StackFileError, UsageProblem

if TYPE_CHECKING:
    from msctl.importing import Imported, Source

_STACK_FILE = "stack.yaml"
_FORM = "docker-compose.yml"


@command_named("import")
@click.argument("compose_file", metavar="FILE", type=click.Path())
@click.option("-o", "--output", metavar="PATH", help="Write there; - prints. [stack.yaml beside]")
@click.option("--force", is_flag=True, help="Write over a file that exists.")
@click.option(
    "--profile", "profiles", multiple=True, metavar="NAME", help="Take services of it in, too."
)
@in_session
def command(
    session: Session, compose_file: str, output: str | None, force: bool, profiles: tuple[str, ...]
) -> None:
    """Write a stack file that stands for the Compose file FILE.

    Traefik's labels become routes. What the stack file has no key for is kept under x-compose; what
    msctl cannot make is named, with its line, here and at the top of the stack file.
    """
    path = session.app.cwd / compose_file
    target = _target(session, path, output, force)
    source = _source(session, path, compose_file, profiles)
    found = _imported(session, path, source)
    text = found.text(path.name)
    if target is None:
        session.ui.write(text)
    else:
        write_whole(target, text, session.shown(target))
    for note in found.notes:
        session.ui.note(note.text(session.shown(path)))
    if target is not None:
        _say(session, found, target)


def _target(session: Session, path: Path, output: str | None, force: bool) -> Path | None:
    if output == "-":
        return None
    wanted = output or session.shown(path.parent / _STACK_FILE)
    target = output_path(session, "-o", wanted, name=_STACK_FILE)
    if target == path.resolve():
        raise UsageProblem(f"-o {output} is the Compose file itself; nothing was changed")
    if target.exists() and not force:
        raise UsageProblem(
            f"{session.shown(target)} exists; nothing was changed",
            hint="--force writes over it; -o PATH writes to another file, -o - prints",
        )
    if target.parent != path.parent.resolve():
        raise UsageProblem(
            f"-o {output}: a stack file lies beside the Compose file, where its paths start",
            hint=f"-o {session.shown(path.parent / target.name)}, or -o - prints it",
        )
    return target


def _source(session: Session, path: Path, file: str, profiles: tuple[str, ...]) -> Source:
    """The file, read.

    Raises:
        UsageProblem: it cannot be read, or is no Compose file.
    """
    from msctl.config import yamltext
    from msctl.config.environment import dotenv
    from msctl.config.problems import Malformed, as_error
    from msctl.importing import Source
    from msctl.importing.source import OURS

    try:
        data = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        hint = f"name the file: msctl import {_FORM}"
        raise UsageProblem(f"{file}: {reason}", hint=hint) from None
    lookup, complaints = dotenv(
        file, session.app.environ, lambda name: (path.parent / name).read_bytes()
    )
    try:
        document = yamltext.parse(data)
    except Malformed as error:
        raise as_error([error.problem], file, complaints) from None
    if document.problems or complaints:
        raise as_error(document.problems, file, complaints)
    services = document.value.get("services")
    if not isinstance(services, dict) or not services:
        raise UsageProblem(f"{file} is no Compose file: it has no services")
    more = (lookup("COMPOSE_PROFILES") or "").split(",")
    return Source(
        document,
        lookup,
        exists=lambda name: (path.parent / name).exists(),
        profiles=frozenset([*profiles, *more]) - {""},
        own=data.startswith(OURS.encode()),
    )


def _imported(session: Session, path: Path, source: Source) -> Imported:
    from msctl.importing import imported

    name = session.options.project or name_of(path.parent.resolve())
    if session.options.project is not None:
        source.document.value["name"] = name
    return imported(source, name)


def _say(session: Session, found: Imported, target: Path) -> None:
    """What was written, and what to do next.

    Raises:
        StackFileError: what is still wrong in it.
    """
    from msctl.config import load

    shown = session.shown(target)
    count = plural(len(found.data["services"]), "service")
    session.ui.say(f"{shown} is written: {count}", "green")
    try:
        load(target, session.app.environ, shown_as=shown)
    except StackFileError as error:
        raise StackFileError([*error.problems, f"{shown} is written, and wants a hand"]) from None
    again = "" if shown == _STACK_FILE else f" -f {shown}"
    session.ui.say(f"to see what it would do: msctl{again} up --dry-run")
