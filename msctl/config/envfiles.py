"""`.env` and `env_file`: the lines that Compose reads, with its variables in them.

Values without quotes and in double quotes may hold `${VAR}`; the environment wins over lines
above, and one that is not set is empty, as for Compose. python-dotenv splits the lines; its own
interpolation is not used, since it knows less of the syntax than Compose and reads the process's
environment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from msctl.config.variables import Lookup, Substitution, VariableProblem
from msctl.fields import shown

MAX_BYTES = 1024 * 1024
_NAME = re.compile(r"[A-Za-z0-9_.\[\]-]+")
_DOUBLE_QUOTED = re.compile(r'[^=]*=[^\S\r\n]*"((?:\\.|[^"\\])*)"', re.DOTALL)
_SINGLE_QUOTED = re.compile(r"[^=]*=[^\S\r\n]*'", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\", "$": "$$"}


class EnvFileProblem(ValueError):
    """What is wrong in a file of variables: one line of text for each problem, with its line."""

    def __init__(self, problems: list[tuple[int, str]]) -> None:
        super().__init__(problems)
        self.problems = problems


@dataclass(frozen=True)
class Blank:
    """A reference of a value that stands for nothing."""

    line: int
    name: str
    """Whose value it is in."""
    variable: str


def parse(
    data: bytes, environment: Lookup, blank: Callable[[Blank], None] = lambda _: None
) -> dict[str, str]:
    """The variables of a file. A name alone takes its value from the environment, if it has one.
    `blank` is told of each reference to what is not set.

    Raises:
        EnvFileProblem: lines that are no `NAME=value`, or whose references are none, or required.
    """
    if len(data) > MAX_BYTES:
        raise EnvFileProblem([(1, "the file is larger than 1 MiB")])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise EnvFileProblem([(data.count(b"\n", 0, error.start) + 1, "not UTF-8")]) from None
    found: dict[str, str] = {}
    problems: list[tuple[int, str]] = []

    def lookup(name: str) -> str | None:
        value = environment(name)
        return found.get(name) if value is None else value

    substitute = Substitution(lookup, blank=True)
    for line, name, value in _bindings(text):
        if name is None or not _NAME.fullmatch(name) or "\x00" in (value or ""):
            problems.append((line, "not NAME=value; close quotes, and start comments with #"))
            continue
        try:
            result = environment(name) if value is None else substitute(value)
        except VariableProblem as problem:
            problems.append((line, f"{shown(name)}: {problem}"))
            continue
        for variable in dict.fromkeys(substitute.missed):
            blank(Blank(line, name, variable))
        substitute.missed.clear()
        if result is not None:
            found[name] = result
    if problems:
        raise EnvFileProblem(problems)
    return found


def _bindings(text: str) -> Iterator[tuple[int, str | None, str | None]]:
    """Line, name and value (with its `${VAR}`) of each entry; no name: it is not one."""
    from io import StringIO

    from dotenv.parser import parse_stream  # only where there is such a file

    for binding in parse_stream(StringIO(text)):
        original = binding.original.string
        line = binding.original.line + _blank_lines(original)
        if binding.error:
            yield line, None, None
        elif binding.key is not None:
            yield line, binding.key, _unquoted(binding.value, original)


def _unquoted(value: str | None, original: str) -> str | None:
    """A value in which `$` has the meaning that the quotes around it give."""
    if value is None:
        return None
    if found := _DOUBLE_QUOTED.match(original):
        return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[0]), found[1], flags=re.DOTALL)
    return value.replace("$", "$$") if _SINGLE_QUOTED.match(original) else value


def _blank_lines(original: str) -> int:
    """Lines that the parser skipped before the entry itself."""
    skipped = original[: len(original) - len(original.lstrip())]
    return len(re.findall(r"\r\n|\n|\r", skipped))
