"""What the file's environment adds: `.env` beside it, `env_file`, and names without a value."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from msctl.config import envfiles
from msctl.config.envfiles import Blank, EnvFileProblem
from msctl.config.problems import Path
from msctl.config.variables import Lookup
from msctl.fields import shown
from msctl.model import Service, Stack

PROJECT = "COMPOSE_PROJECT_NAME"
"""The variable that names Docker Compose its project."""
ReadFile = Callable[[str], bytes]
"""Reads a file named from the stack file's folder; raises OSError."""


def no_files(path: str) -> bytes:
    """Reads from a folder without files."""
    raise FileNotFoundError(path)


def dotenv(file: str, environ: Mapping[str, str], read_file: ReadFile) -> tuple[Lookup, list[str]]:
    """The environment over the variables of `.env`, and the problems of `.env`, a line each."""
    variables: dict[str, str] = {}
    problems: list[str] = []
    shown_as = os.path.join(os.path.dirname(file), ".env")
    try:
        variables = envfiles.parse(read_file(".env"), environ.get)
    except FileNotFoundError:
        pass  # it is optional
    except OSError as error:
        problems = [f"{shown_as}: {_reason(error)}"]
    except EnvFileProblem as error:
        problems = [f"{shown_as}:{line}: {message}" for line, message in error.problems]
    return lambda name: environ[name] if name in environ else variables.get(name), problems


def blanks(
    stack: Stack, environ: Mapping[str, str], read_file: ReadFile
) -> Iterator[tuple[str, Blank]]:
    """References in `.env`, and in the files of `env_file`, to what is not set: by the file as the
    stack file names it. Of a password with a `$` in it, the rest of a word is gone.

    `stack` is one that keeps its variables; files whose names hold some are not looked at.
    """
    lookup, _ = dotenv("", environ, read_file)
    named = [file.path for service in stack.services.values() for file in service.env_file]
    for file in dict.fromkeys([".env", *named]):
        found: list[Blank] = []
        with suppress(OSError, ValueError):  # what cannot be read is an error elsewhere
            known = environ.get if file == ".env" else lookup
            envfiles.parse(read_file(file), known, found.append)
        yield from ((file, one) for one in found)


class EnvFiles:
    """The files of variables of a stack's services: each is read once, and not endlessly many."""

    MOST_BYTES = 4 * envfiles.MAX_BYTES
    """Of all files of all services; a file counts as often as it is used."""

    def __init__(self, lookup: Lookup, read_file: ReadFile) -> None:
        self._lookup, self._read_file = lookup, read_file
        self._known: dict[str, tuple[dict[str, str] | OSError | ValueError, int]] = {}
        self._bytes = 0

    def variables(self, file: str) -> dict[str, str]:
        """Raises:
        OSError, ValueError: the file cannot be read or understood.
        """
        if file not in self._known:
            self._known[file] = self._read(file)
        found, size = self._known[file]
        self._bytes += size
        if self._bytes > self.MOST_BYTES:
            raise EnvFileProblem([(1, "the stack's files of variables hold more than 4 MiB")])
        if isinstance(found, Exception):
            raise found
        return found

    def _read(self, file: str) -> tuple[dict[str, str] | OSError | ValueError, int]:
        try:
            data = self._read_file(file)
            return envfiles.parse(data, self._lookup), len(data)
        except (OSError, ValueError) as error:
            return error, 0


class ServiceEnvironment:
    """A service's variables: those of its files, and `env` over them."""

    def __init__(self, lookup: Lookup, files: EnvFiles) -> None:
        self._lookup = lookup
        self._files = files
        self.problems: list[tuple[Path, str]] = []

    def completed(self, service: Service) -> Service:
        """The service with its files read; `problems` has those of files, by the path in it."""
        env: dict[str, str | None] = {}
        for index, file in enumerate(service.env_file):
            try:
                env |= self._files.variables(file.path)
            except (OSError, ValueError) as error:
                if isinstance(error, FileNotFoundError) and not file.required:
                    continue
                messages = _complaints(file.path, error)
                self.problems += (((("env_file", index)), message) for message in messages)
        for name, value in service.env.items():
            env[name] = self._lookup(name) if value is None else value
        if env == service.env and not service.env_file:
            return service
        return service.replaced(env=env, env_file=())


def _complaints(file: str, error: OSError | ValueError) -> Iterator[str]:
    if isinstance(error, EnvFileProblem):
        for line, message in error.problems:
            yield f"{shown(file)}, line {line}: {message}"
    else:
        yield f"cannot read {shown(file)}: {_reason(error)}"


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or "no such file or directory").lower()
