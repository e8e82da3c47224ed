"""The file's data before it is checked: variables put in, and keys without a value found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from msctl.config.problems import Path, Problem
from msctl.config.variables import VariableProblem
from msctl.config.yamltext import Document
from msctl.model import Service, Stack

PASSED = "x-compose"
"""What goes to Compose as it is, of the stack and of a service."""
_KEPT_OF_GATEWAY = ("image", "build", "args")
_KEPT_OF_SERVICES = (
    "image",
    "build",
    "command",
    "entrypoint",
    "env",
    "env_file",
    "volumes",
    "ports",
    "labels",
    PASSED,
)
_FREE = ("env", "labels", "args")
_PATHS = ("source", "context")
"""Keys of a mount and of a build that hold a path of this machine."""


def passes_through(path: Path) -> bool:
    """Whether a value goes to Compose as it is written, so that its `${VAR}` may stay."""
    if path[:1] == (PASSED,):
        return True
    if path[:1] == ("gateway",):
        return path[1:2] != () and path[1] in _KEPT_OF_GATEWAY
    return path[:1] == ("services",) and path[2:3] != () and path[2] in _KEPT_OF_SERVICES


@dataclass
class Preparation:
    """Walks a document once. With `keep`, what passes through keeps its `${VAR}`, and elsewhere
    a `$` that is meant is written `$$`, so that the result can be dumped as a Compose file."""

    document: Document
    substitute: Callable[[str], str]
    keep: bool
    home: str | None = None
    """Where `~/` leads; None: it is not known."""
    problems: list[Problem] = field(default_factory=list)

    def value(self) -> dict[str, object]:
        return self._mapping(self.document.value, ())

    def _value(self, value: object, path: Path) -> object:
        if isinstance(value, dict):
            return self._mapping(value, path)
        if isinstance(value, list):
            return [self._value(item, (*path, index)) for index, item in enumerate(value)]
        if isinstance(value, str):
            return self._text(value, path)
        if value is None and _is_known(path) and not _is_free(path[:-1]):
            self._note(path, "has no value; write one, or remove it")
        return value

    def _mapping(self, value: dict[str, object], path: Path) -> dict[str, object]:
        return {
            key: item if _is_extension(key, path) else self._value(item, (*path, key))
            for key, item in value.items()
        }

    def _text(self, text: str, path: Path) -> str:
        if self.keep and passes_through(path) and not _names_a_variable(text, path):
            return text
        try:
            found = self.substitute(text)
        except VariableProblem as problem:
            self._note(path, str(problem))
            return text
        if self.keep:
            return found.replace("$", "$$")
        if found.startswith("~/") and self.home is not None and _is_path(path):
            return f"{self.home}{found[1:]}"
        return found

    def _note(self, path: Path, message: str) -> None:
        self.problems.append(self.document.problem(path, message))


def _is_known(path: Path) -> bool:
    """Whether a value belongs to a key that msctl knows; about others there is more to say."""
    if path[:1] == ("services",) and len(path) > 2:
        return path[2] in Service.keys
    return path[:1] == () or path[0] in Stack.keys


def _is_free(path: Path) -> bool:
    """Whether a mapping's keys are the user's own (variables, labels), not msctl's."""
    inner = path[2:] if path[:1] == ("services",) else path[1:]
    return any(part in _FREE for part in inner)


def _is_path(path: Path) -> bool:
    """Whether a value is a path of this machine, or a mount that begins with one."""
    if path[:2] == ("gateway", "tls") or path == ("gateway", "build"):
        return True
    if path[:2] == ("gateway", "build"):
        return path[-1] in _PATHS
    if path[:1] != ("services",) or path[2:3] not in (("build",), ("volumes",), ("env_file",)):
        return False
    return path[-1] in _PATHS or isinstance(path[-1], int) or len(path) == 3


def _is_extension(key: str, path: Path) -> bool:
    if key == PASSED and (not path or (path[0] == "services" and len(path) == 2)):
        return False
    return key.startswith("x-") and path != ("services",) and not _is_free(path)


def _names_a_variable(text: str, path: Path) -> bool:
    """A list's `${NAME}=value`: it becomes a mapping, whose keys Compose does not resolve."""
    listed = isinstance(path[-1], int) and _is_free(path)
    return listed and "$" in text.partition("=")[0]
