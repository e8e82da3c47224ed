"""`msctl add`: a service more in the stack file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from msctl.cli.commands.render import tell_stale
from msctl.cli.complete import folders, services
from msctl.cli.group import command as command_named
from msctl.cli.outputs import write_whole
from msctl.cli.session import Session, in_session
from msctl.errors import StackFileError, UsageProblem

if TYPE_CHECKING:
    from msctl.config import LoadedStack
    from msctl.config.editing import Edited


@command_named("add")
@click.argument("service")
@click.option("--path", "paths", multiple=True, metavar="PATH", help="Route: /api/search, say.")
@click.option("--host", metavar="HOST", help="Host name of the routes; all where none is given.")
@click.option("--strip", is_flag=True, help="Take the path off before the service gets it.")
@click.option("--port", metavar="N", help="The container's port that routes lead to.")
@click.option(
    "--build", metavar="FOLDER", help="Folder with the Dockerfile.", shell_complete=folders
)
@click.option("--image", metavar="REF", help="Image; with --build, the name of what is built.")
@click.option("--replicas", metavar="N", help="How many replicas to start with.")
@click.option("--health", metavar="PATH", help="Path that tells whether a replica is well.")
@click.option("--env", multiple=True, metavar="NAME=VALUE", help="Environment variable.")
@click.option(
    "--needs",
    "--depends-on",
    "needs",
    multiple=True,
    metavar="SERVICE",
    help="A service that has to be healthy first.",
    shell_complete=services,
)
@click.option(
    "--volume", "volumes", multiple=True, metavar="VOLUME", help="As in Compose: data:/d."
)
@click.option("--stateful", is_flag=True, help="One replica, never scaled: a database, say.")
@in_session
def command(
    session: Session,
    service: str,
    paths: tuple[str, ...],
    host: str | None,
    strip: bool,
    port: str | None,
    build: str | None,
    image: str | None,
    replicas: str | None,
    health: str | None,
    env: tuple[str, ...],
    needs: tuple[str, ...],
    volumes: tuple[str, ...],
    stateful: bool,
) -> None:
    """Put SERVICE into the stack file; comments and all that is there stay as they are.

    Without --path it is internal: reached by its name, never by the gateway. Nothing is changed
    where the file would not be right afterwards. --path, --env, --needs and --volume may be given
    several times.
    """
    _check_text(image, build, port, host, replicas, health, *paths, *env, *volumes)
    _check_together(paths, host, strip, port, build, image)
    loaded = session.load(may_be_empty=True)
    _check_new(session, loaded, service, paths, host)
    entry: dict[str, Any] = {"image": image or f"{loaded.stack.name}/{service}:latest"}
    if build is not None:
        entry["build"] = _context(session, loaded, build)
    if port is not None:
        entry["port"] = _plain(port)
    if paths:
        entry["routes"] = [_route(path, host, strip) for path in paths]
    if replicas is not None:
        entry["replicas"] = _replicas(replicas)
    if stateful:
        entry["stateful"] = True
    if health is not None:
        entry["health"] = {"path": health}
    if env:
        entry["env"] = dict(_variable(text) for text in env)
    if needs:
        entry["needs"] = list(session.known(loaded, needs))
    if volumes:
        entry["volumes"] = list(volumes)
    edited = _edited(session, loaded, service, entry)
    write_whole(loaded.path.resolve(), edited.text, session.shown(loaded.path))
    session.ui.write(f"{edited.added}\n")
    where = f"{session.shown(loaded.path)}:{edited.line}"
    session.ui.say(
        f"{service} is in {where}; to start it: {session.again(f'up {service}')}", "green"
    )
    tell_stale(session, session.load())


def _check_text(*options: str | None) -> None:
    for option in options:
        try:
            (option or "").encode()
        except UnicodeEncodeError:
            told = f"{option!a} is not text in UTF-8; nothing was changed"
            raise UsageProblem(told) from None


def _check_together(
    paths: tuple[str, ...],
    host: str | None,
    strip: bool,
    port: str | None,
    build: str | None,
    image: str | None,
) -> None:
    if build is None and image is None:
        raise UsageProblem(
            "a service needs an image",
            hint="--image REF names one, --build FOLDER says where it is made from",
        )
    if paths and port is None:
        raise UsageProblem("--path needs --port, the container's port that the route leads to")
    for option, given in (("--host", host is not None), ("--strip", strip)):
        if given and not paths:
            raise UsageProblem(f"{option} is about a route", hint="add --path /api/…, for example")


def _check_new(
    session: Session, loaded: LoadedStack, name: str, paths: tuple[str, ...], host: str | None
) -> None:
    """The name is one, and it and the routes are free."""
    from msctl.fields import check_name
    from msctl.records import Wrong

    file, known = session.shown(loaded.path), loaded.stack.services
    try:
        check_name(name)
    except Wrong as error:
        raise UsageProblem(f"{error}; nothing was changed") from None
    if name in known:
        raise UsageProblem(
            f"{name} is a service of {file} already; nothing was changed",
            hint=f"edit its entry there, then: {session.again(f'up {name}')}",
        )
    taken = {
        (route.host, route.path): other
        for other, service in known.items()
        for route in service.routes
    }
    for path in paths:
        if other := taken.get((host.lower() if host else None, path)):
            raise UsageProblem(
                f"{host or ''}{path} leads to {other} already; nothing was changed",
                hint=f"choose another --path, or --host; {session.again('routes')} shows them all",
            )


def _context(session: Session, loaded: LoadedStack, build: str) -> str:
    """The folder to build from as the stack file says it: from the file's own folder.

    Raises:
        UsageProblem: there is none, or no Dockerfile in it.
    """
    places = dict.fromkeys(
        Path(os.path.abspath(p / build)) for p in (session.app.cwd, loaded.folder)
    )
    folder = next((place for place in places if place.is_dir()), None)
    if folder is None:
        tried = " or ".join(session.shown(place) for place in places)
        raise UsageProblem(
            f"--build {build}: there is no folder {tried}; nothing was changed",
            hint="make it, with a Dockerfile in it, or name another",
        )
    if not (folder / "Dockerfile").is_file():
        raise UsageProblem(
            f"--build {build}: there is no Dockerfile in {session.shown(folder)}; "
            "nothing was changed"
        )
    try:
        way = Path(os.path.relpath(folder, loaded.folder)).as_posix()
    except ValueError:  # on another drive
        return folder.as_posix()
    return way if way.startswith(".") else f"./{way}"


def _plain(text: str) -> int | str:
    """A number, or what the file's checks shall judge: `${PORT}`, say."""
    return int(text) if text.isascii() and text.isdecimal() else text


def _replicas(text: str) -> int | str | dict[str, int]:
    from msctl.model import DEFAULT_MAX_REPLICAS

    count = _plain(text)
    if isinstance(count, int) and count > DEFAULT_MAX_REPLICAS:
        return {"initial": count, "max": count}
    return count


def _route(path: str, host: str | None, strip: bool) -> dict[str, Any]:
    where = {"path": path, **({} if host is None else {"host": host})}
    return {**where, "strip": True} if strip else where


def _variable(text: str) -> tuple[str, int | str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageProblem(f"--env {text} has no value", hint=f"--env {name}=VALUE")
    return name, value if value != str(_plain(value)) else _plain(value)


def _edited(session: Session, loaded: LoadedStack, name: str, entry: dict[str, Any]) -> Edited:
    """The file's text with the service in it, checked.

    Raises:
        UsageProblem: the file would not be right any more, or would say something else of others.
    """
    from msctl.config import load
    from msctl.config.editing import with_service

    file, before = session.shown(loaded.path), loaded.stack.services
    by_hand = f"edit {file} by hand; msctl schema prints all keys"
    text = loaded.path.read_bytes().decode("utf-8")
    kind = "routed" if "routes" in entry else "stateful" if "stateful" in entry else "internal"

    def behind(other: str) -> bool:
        return before[other].kind == kind

    try:
        edited = with_service(text, name, entry, behind=lambda n: n in before and behind(n))
    except ValueError as error:
        raise UsageProblem(f"{file} cannot be edited: {error}", hint=by_hand) from None
    try:
        after = load(
            loaded.path,
            session.app.environ,
            project=session.options.project,
            shown_as=file,
            text=edited.text,
        ).stack
    except StackFileError as error:
        raise UsageProblem(
            f"with {name} in it, {file} would not be right; nothing was changed:\n{error.message}"
        ) from None
    others = {other: service for other, service in after.services.items() if other != name}
    if others != before or after.replaced(services=before) != loaded.stack:
        raise UsageProblem(f"{file} cannot be edited: its form is not understood", hint=by_hand)
    return edited
