"""`msctl import`: a Compose file taken over as a stack file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from msctl.cli import complete
from msctl.cli.commands.init import name_of
from msctl.cli.group import command as command_named
from msctl.cli.outputs import output_path, write_whole
from msctl.cli.session import Session, in_session
from msctl.errors import StackFileError, UsageProblem
from msctl.shellwords import quoted
from msctl.words import plural

if TYPE_CHECKING:
    from msctl.config.variables import Lookup
    from msctl.importing import Imported, Made, Source

_STACK_FILE = "stack.yaml"
SECRET = 0o444
"""A secret's file lies in a folder of the user's alone; users of containers have other numbers."""
_FORM = "docker-compose.yml"
_OVERRIDES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)
"""As `COMPOSE_FILES`."""


@command_named("import")
@click.argument("files", metavar="[FILE…]", nargs=-1, type=click.Path())
@click.option(
    "-o",
    "--output",
    metavar="PATH",
    help="Write there; - prints. [stack.yaml beside]",
    shell_complete=complete.files,
)
@click.option("--force", is_flag=True, help="Write over a file that exists.")
@click.option(
    "--profile", "profiles", multiple=True, metavar="NAME", help="Take services of it in, too."
)
@in_session
def command(
    session: Session,
    files: tuple[str, ...],
    output: str | None,
    force: bool,
    profiles: tuple[str, ...],
) -> None:
    """Write a stack file that stands for the Compose file FILE.

    Of several, each wins over those before it, as with docker compose -f; without any, they are
    those that docker compose up takes here. What they include and extend is taken in.

    Traefik's labels become routes. What the stack file has no key for is kept under x-compose; what
    msctl cannot make is named, with its line, here and at the top of the stack file.
    """
    files = files or _usual(session)
    cwd = session.app.cwd
    path = cwd / files[0]
    target = _target(session, path, output, force)
    source = _source(session, path, files, profiles)
    found = _imported(session, path, source)
    if not found.data["services"]:
        _nothing(session, path, found, source)
    text = found.text(*_from(path.parent, cwd, files))
    if target is None:
        session.ui.write(text)
    else:
        write_files(path.parent, found.files, force=force)
        write_whole(target, text, session.shown(target))
    _tell(session, path, found)
    if target is None and found.files:
        session.ui.note(f"with -o - these are not written: {', '.join(found.files)}")
    if target is not None:
        _say(session, found, target)


def _tell(session: Session, path: Path, found: Imported) -> None:
    from msctl.importing.report import report

    for line in report(found.notes, session.shown(path)):
        session.ui.note(line)


def _nothing(session: Session, path: Path, found: Imported, source: Source) -> NoReturn:
    """Say why no service is left.

    Raises:
        UsageProblem: always.
    """
    from msctl.importing.source import several

    _tell(session, path, found)
    services: Mapping[str, Any] = source.values()["services"]
    all_of = [s for s in services.values() if isinstance(s, dict)]
    named = [profile for service in all_of for profile in several(service.get("profiles"))]
    raise UsageProblem(
        f"no service of {session.shown(path)} is one for a stack file; nothing was written",
        hint=f"those of a profile are taken in with --profile {named[0]}" if named else None,
    )


def write_files(folder: Path, files: Mapping[str, Made], *, force: bool) -> None:
    """Write what lies beside the stack file: all of it, or nothing where something else is there.

    Raises:
        UsageProblem: a file is there that says something else, or cannot be written.
    """
    from msctl.errors import StepFailed
    from msctl.files import wholefile

    try:
        for place in {(folder / name).parent for name in files}:
            if place.is_symlink():  # of whoever wrote the Compose file, to a folder of ours
                raise UsageProblem(
                    f"{place.relative_to(folder)} is a link; nothing was changed",
                    hint=f"put a folder in its place: rm {quoted(str(place))}",
                )
        for name, made in files.items():
            if not force and wholefile.read(folder / name) not in (None, made.text):
                raise UsageProblem(
                    f"{name} exists, and says something else; nothing was changed",
                    hint="move it away, or write over it with --force",
                )
        for name, made in files.items():
            place = (folder / name).parent
            if made.private:
                wholefile.own_folder(place)
            else:
                place.mkdir(exist_ok=True)
            wholefile.write(folder / name, made.text, SECRET if made.private else wholefile.PUBLIC)
    except (StepFailed, OSError) as error:
        raise UsageProblem(f"nothing was imported: {error}") from None


def _from(folder: Path, cwd: Path, files: Iterable[str]) -> list[str]:
    """The files' paths from a folder."""
    return [Path(os.path.relpath(cwd / file, folder)).as_posix() for file in files]


def _usual(session: Session) -> tuple[str, ...]:
    """The files that `docker compose` takes by itself.

    Raises:
        UsageProblem: there are none.
    """
    from msctl.config.files import COMPOSE_FILES

    cwd = session.app.cwd
    look = _lookup(session, cwd, ".env")
    if named := look("COMPOSE_FILE"):
        return tuple(named.split(look("COMPOSE_PATH_SEPARATOR") or os.pathsep))
    found = next((name for name in COMPOSE_FILES if (cwd / name).is_file()), None)
    if found is None:
        raise UsageProblem(
            f"there is no {_FORM} here, nor {COMPOSE_FILES[0]}",
            hint=f"name it: msctl import {_FORM}",
        )
    over = next((name for name in _OVERRIDES if (cwd / name).is_file()), None)
    return (found, over) if over else (found,)


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


def _lookup(session: Session, folder: Path, file: str) -> Lookup:
    """The variables of the environment and of `.env` in a folder.

    Raises:
        StackFileError: `.env` is not right.
    """
    from msctl.config.environment import dotenv
    from msctl.config.problems import as_error

    lookup, complaints = dotenv(
        file, session.app.environ, lambda name: (folder / name).read_bytes()
    )
    if complaints:
        raise as_error([], file, complaints)
    return lookup


def _source(
    session: Session, path: Path, files: tuple[str, ...], profiles: tuple[str, ...]
) -> Source:
    """The files, read.

    Raises:
        UsageProblem: one cannot be read, or they are no Compose file.
    """
    from msctl.config.files import read_start
    from msctl.config.problems import as_error
    from msctl.importing import BrokenFile, Source, composed
    from msctl.importing.source import OURS

    folder = path.parent
    names = _from(folder, session.app.cwd, files)
    lookup = _lookup(session, folder, files[0])
    try:
        found = composed(names, lambda name: read_start(folder / name), lookup)
    except BrokenFile as error:
        shown = files[0] if error.file == names[0] else session.shown(folder / error.file)
        raise as_error(error.problems, shown) from None
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        hint = f"name the file: msctl import {_FORM}"
        raise UsageProblem(
            f"{session.shown(folder / error.filename)}: {reason}", hint=hint
        ) from None
    services = found.document.value.get("services")
    if not isinstance(services, dict) or not services:
        raise UsageProblem(f"{files[0]} is no Compose file: it has no services")
    more = (lookup("COMPOSE_PROFILES") or "").split(",")
    return Source(
        found.document,
        lookup,
        exists=lambda name: (folder / name).exists(),
        read=lambda name: read_start(folder / name),
        profiles=frozenset([*profiles, *more]) - {""},
        own=read_start(path).startswith(OURS.encode()),
        files=found.files,
        notes=list(found.lost),
    )


def _imported(session: Session, path: Path, source: Source) -> Imported:
    from msctl.importing import imported

    given = session.options.project or source.lookup("COMPOSE_PROJECT_NAME")
    if given:
        source.document.value["name"] = given
    return imported(source, project_name(path.parent.resolve().name) or name_of(path.parent))


def project_name(folder: str) -> str:
    """What Docker Compose calls the project of a folder: its volumes are found by that."""
    return re.sub(r"[^a-z0-9_-]", "", folder.lower()).lstrip("-_")


def _say(session: Session, found: Imported, target: Path) -> None:
    """What was written, and what to do next.

    Raises:
        StackFileError: what is still wrong in it.
    """
    from msctl.config import load
    from msctl.importing.report import next_steps

    shown = session.shown(target)
    count = plural(len(found.data["services"]), "service")
    session.ui.say(f"{shown} is written: {count}", "green")
    try:
        load(target, session.app.environ, shown_as=shown)
    except StackFileError as error:
        raise StackFileError([*error.problems, f"{shown} is written, and wants a hand"]) from None
    for line in next_steps(found.data, had_gateway=found.had_gateway):
        session.ui.say(line)
    again = "" if shown == _STACK_FILE else f" -f {quoted(shown)}"
    session.ui.say(f"to see what it would do: msctl{again} up --dry-run")
