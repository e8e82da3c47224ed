"""`.env` and `env_file`: the lines that Compose reads, with its variables in them.

Values without quotes and in double quotes may hold `${VAR}`; the environment wins over lines
above, and one that is not set is empty, as for Compose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from msctl.config.envlines import entries
from msctl.config.variables import Lookup, Substitution, VariableProblem
from msctl.fields import shown

MAX_BYTES = 1024 * 1024


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
    for entry in entries(text):
        line, name, value = entry.line, entry.name, entry.value
        if name is None or "\x00" in (value or ""):
            alone = "" if text.endswith("\n") else ", and the file with a line break"
            why = f"not NAME=value; close quotes{alone}, and start comments with #"
            problems.append((line, why))
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
