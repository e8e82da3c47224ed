"""Where the stack file is, and reading it with what lies beside it."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from msctl.config import syntax, yamltext
from msctl.config.envfiles import Blank
from msctl.config.environment import blanks
from msctl.config.loader import load_text
from msctl.config.problems import Malformed, as_error, show_path
from msctl.config.problems import Path as KeyPath
from msctl.errors import StackFileError, UsageProblem
from msctl.model import Operator, Stack
from msctl.shellwords import quoted
from msctl.variables import FILE

FILE_NAME = "stack.yaml"
COMPOSE_FILES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
"""What Docker Compose takes in the order of compose-go (`cli.DefaultFileNames`)."""
_COMPOSES_ALONE = re.compile("unknown key '(environment|depends_on|healthcheck|deploy|volumes)'")


@dataclass(frozen=True)
class LoadedStack:
    """A stack and the file that it came from; both paths are absolute."""

    stack: Stack
    path: Path
    folder: Path
    """The stack file's folder: relative paths in the file start here."""


def find_stack_file(explicit: str | None, environ: Mapping[str, str], cwd: Path) -> Path:
    """The stack file to use.

    It is that of `-f`, else of $MSCTL_FILE, else stack.yaml here or above, else compose/stack.yaml.

    Raises:
        UsageProblem: there is none, or one above that is somebody else's.
    """
    if explicit is not None:
        return _named(explicit, "-f/--file", cwd)
    if named := environ.get(FILE):
        return _named(named, f"${FILE}", cwd)
    candidates = [folder / FILE_NAME for folder in (cwd, *cwd.parents)]
    for path in (*candidates, cwd / "compose" / FILE_NAME):
        if path.is_file():
            _refuse_strangers(path, cwd)
            return path
    compose = next((name for name in COMPOSE_FILES if (cwd / name).is_file()), None)
    made = f"`msctl import` makes one of {compose}" if compose else "`msctl init` writes one"
    raise UsageProblem(
        f"no {FILE_NAME} here, in a folder above, or in compose/",
        hint=f"{made}; -f FILE or ${FILE} names another",
    )


def _refuse_strangers(path: Path, cwd: Path) -> None:
    """A file above that neither the user, nor root, nor who owns the folder has written, such as
    /tmp/stack.yaml: it could start anything."""
    if path.parent in (cwd, cwd / "compose") or not hasattr(os, "getuid"):
        return
    owner = path.stat().st_uid
    if owner not in {os.getuid(), 0, cwd.stat().st_uid}:
        raise UsageProblem(
            f"{path}, the nearest {FILE_NAME}, belongs to another user (number {owner})",
            hint=f"nothing was done; -f {path} takes it nonetheless",
        )


def load(
    path: Path,
    environ: Mapping[str, str],
    *,
    project: str | None = None,
    keep_variables: bool = False,
    shown_as: str | None = None,
    text: str | None = None,
    may_be_empty: bool = False,
) -> LoadedStack:
    """Read and check a stack file; see `load_text`. `shown_as` is the file in error messages, and
    `text` what it shall say from now on, where that is not what it says.

    Raises:
        StackFileError: the file's problems, all of them.
        UsageProblem: the file cannot be read, or `project` is no project name.
    """
    name = str(path) if shown_as is None else shown_as
    absolute = Path(os.path.abspath(path))  # as Docker Compose has it: no `..`, links kept
    folder = absolute.parent
    try:
        given = None if text is None else text.encode()
        data = read_start(absolute, pipe=_is_handed_in(absolute)) if given is None else given
    except OSError as error:
        raise _unreadable(name, error) from None
    try:
        stack = load_text(
            data,
            name=name,
            environ=environ,
            read_file=lambda file: read_start(folder / file),
            project=project,
            keep_variables=keep_variables,
            may_be_empty=may_be_empty,
        )
    except StackFileError as error:
        if path.name in COMPOSE_FILES and _COMPOSES_ALONE.search(str(error)):
            raise UsageProblem(
                f"{name} is a Compose file, not a stack file",
                hint=f"`msctl import {quoted(name)}` makes one of it",
            ) from None
        raise
    if stack.autoscaler.enabled:
        stack = stack.of_operator(_operator(absolute))
    return LoadedStack(stack, absolute, folder)


def _operator(file: Path) -> Operator:
    """Who runs msctl here.

    Raises:
        UsageProblem: there are no users here as a container knows them.
        MsctlError: this user can have no locks.
    """
    from msctl.files.lock import lock_folder
    from msctl.ownimage import reference

    if not hasattr(os, "getuid"):
        raise UsageProblem(
            "autoscaler.enabled: the autoscaler works as the user who runs msctl, by number, "
            "which this system does not have",
            hint="remove it, and let msctl autoscale run",
        )
    user = f"{os.getuid()}:{os.getgid()}"
    return Operator(str(file), user, str(lock_folder()), reference())


def refusal(path: Path, found: Iterable[tuple[KeyPath, str]], *, shown_as: str) -> StackFileError:
    """What somebody finds wrong in a stack file that has been loaded: paths in it, and messages."""
    document = yamltext.parse(read_start(path))
    return as_error([document.problem(key, message) for key, message in found], shown_as)


def places(path: Path, found: Iterable[KeyPath], *, shown_as: str) -> list[str]:
    """Where values stand in a stack file that has been loaded, `FILE:LINE: PATH` as errors name it;
    without the line where the file was a stream, or is another one now."""
    try:
        document = yamltext.parse(read_start(path))
    except (OSError, Malformed):
        return [f"{shown_as}: {show_path(one)}" for one in found]
    placed = [(document.lines[document.place(one)], document.place(one)) for one in found]
    return [f"{shown_as}:{line}: {show_path(place)}" for line, place in placed]


def blank_references(loaded: LoadedStack, environ: Mapping[str, str]) -> list[tuple[Path, Blank]]:
    """What stands for nothing in the files of variables, by file; see `blanks`."""
    raw = load(loaded.path, environ, keep_variables=True).stack
    found = blanks(raw, environ, lambda file: read_start(loaded.folder / file))
    return [(loaded.folder / file, one) for file, one in found]


def _named(name: str, source: str, cwd: Path) -> Path:
    path = cwd / name
    if not path.exists():
        raise UsageProblem(f"{source}: {name}: no such file", hint="`msctl init` writes a starter")
    if path.is_dir():
        raise UsageProblem(
            f"{source}: {name} is a folder", hint=f"name the file: {name.rstrip('/')}/{FILE_NAME}"
        )
    return path


def _is_handed_in(path: Path) -> bool:
    """Whether this is a stream that the shell gives: /dev/stdin, or `<(command)`."""
    return path.as_posix() == "/dev/stdin" or path.parent.as_posix() in (
        "/dev/fd",
        "/proc/self/fd",
    )


def read_start(path: Path, *, pipe: bool = False) -> bytes:
    """A file's start: a byte more than msctl takes, so that it is not read whole to be refused.

    Raises:
        OSError: it cannot be read; also where it is no file but a device or, unless `pipe`, a
            pipe, which might never end.
    """
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or pipe):
        raise OSError(errno.EINVAL, "not a regular file")
    with path.open("rb") as file:
        return file.read(syntax.MAX_BYTES + 1)


def _unreadable(name: str, error: OSError) -> UsageProblem:
    reason = (error.strerror or "cannot be read").lower()
    return UsageProblem(f"{name}: {reason}", hint="-f FILE names another stack file")
