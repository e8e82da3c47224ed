"""`msctl render kubernetes`: the stack as objects of the Kubernetes API, printed or in a folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from msctl.cli.outputs import write_whole
from msctl.cli.session import Session
from msctl.errors import UsageProblem

if TYPE_CHECKING:
    from msctl.config import LoadedStack


def render_kubernetes(session: Session, output: str | None) -> None:
    """Print all objects, or write the files into the folder `output`."""
    from msctl.render import kubernetes

    loaded = session.load()
    contents = bind_files(session, loaded)
    home = session.home_of("kubernetes", loaded.stack)
    files = kubernetes.files(loaded.stack, contents, namespace=home)
    folder = None if output is None or output == "-" else _folder(session, output)
    for note in kubernetes.notes(loaded.stack):
        session.ui.note(note)
    if output is None or folder is None:
        session.ui.write(kubernetes.stream([item for found in files.values() for item in found]))
        return
    texts = kubernetes.texts(files, source=loaded.path.name)
    texts[kubernetes.SETUP] = kubernetes.guide(
        loaded.stack,
        list(files),
        source=loaded.path.name,
        folder=session.shown(loaded.folder),
        namespace=home,
    )
    for stale in _stale(folder, set(texts)):
        stale.unlink()
    for name, text in texts.items():
        write_whole(folder / name, text, os.path.join(output, name))
    session.ui.say(f"{output}: {len(texts)} files are written", "green")


def bind_files(session: Session, loaded: LoadedStack) -> dict[str, dict[str, bytes]]:
    """What services mount from beside the stack file.

    Raises:
        StackFileError: all that Kubernetes cannot carry.
    """
    from msctl.config import refusal
    from msctl.files.bindfiles import read_bind_files
    from msctl.render.kubernetes import problems

    contents = read_bind_files(loaded.stack, loaded.folder)
    if found := list(problems(loaded.stack, contents)):
        raise refusal(loaded.path, found, shown_as=session.shown(loaded.path))
    return contents


def _folder(session: Session, output: str) -> Path:
    path = (session.app.cwd / output).resolve()
    if path.exists() and not path.is_dir():
        raise UsageProblem(f"-o {output} is a file; name a folder for the manifests")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageProblem(f"-o {output}: {(error.strerror or 'no folder').lower()}") from None
    return path


def _stale(folder: Path, names: set[str]) -> list[Path]:
    """Files of an earlier render that the stack has no use for any more."""
    from msctl.render.kubernetes import FILES, OURS

    paths = [folder / name for name in FILES if name not in names]
    return [
        path
        for path in paths
        if path.is_file() and path.read_text("utf-8", "replace").startswith(OURS)
    ]
