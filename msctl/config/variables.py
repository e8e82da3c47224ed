"""`${VAR}`: Compose's interpolation, except that in the stack file a variable that is not set is an
error.

`$VAR`, `${VAR}`, `${VAR:-default}`, `${VAR-default}`, `${VAR:?error}`, `${VAR?error}`,
`${VAR:+other}`, `${VAR+other}`, nested in each other; `$$` is one `$`. A `$` before anything
else is itself. Source: compose-go, `template/template.go`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from msctl.fields import shown

Lookup = Callable[[str], str | None]

MAX_NESTING = 16
MAX_CHARACTERS = 16 * 1024 * 1024
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r":?[-?+]")
_BRACE = re.compile(r"[{}]")


class VariableProblem(ValueError):
    """A reference that has no value, or is none; the message says what to type."""


@dataclass
class Substitution:
    """Puts values in; one for a whole file, so that its result stays of a sane size."""

    lookup: Lookup
    blank: bool = False
    """Whether a variable that is not set is empty, as in files of variables."""
    characters: int = 0
    missed: list[str] = field(default_factory=list)
    """Variables that were not set, and so are empty."""

    def __call__(self, text: str) -> str:
        """The text with every reference replaced.

        Raises:
            VariableProblem: a variable is not set, or a reference is written wrongly.
        """
        return self._replace(text, 0) if "$" in text else text

    def _replace(self, text: str, nesting: int) -> str:
        if nesting > MAX_NESTING:
            raise VariableProblem(f"${{…}} nested deeper than {MAX_NESTING} levels")
        parts: list[str] = []
        at = 0
        while (dollar := text.find("$", at)) >= 0:
            parts.append(text[at:dollar])
            value, at = self._reference(text, dollar + 1, nesting)
            parts.append(value)
            self.characters += len(value)
            if self.characters > MAX_CHARACTERS:
                raise VariableProblem("the variables' values are longer than 16 MiB in all")
        parts.append(text[at:])
        return "".join(parts)

    def _reference(self, text: str, at: int, nesting: int) -> tuple[str, int]:
        """The value of the reference whose `$` stands before `at`, and where it ends."""
        if text.startswith("$", at):
            return "$", at + 1
        if name := _NAME.match(text, at):
            return self._value(name[0]), name.end()
        if not text.startswith("{", at):
            return "$", at
        end = _closing_brace(text, at)
        if end < 0:
            raise _invalid(text[at - 1 :], "its } is missing")
        return self._braced(text[at + 1 : end], nesting), end + 1

    def _braced(self, inner: str, nesting: int) -> str:
        name = _NAME.match(inner)
        if name is None:
            raise _invalid(f"${{{inner}}}", "a name is letters, digits and _")
        if name.end() == len(inner):
            return self._value(name[0])
        operator = _OPERATOR.match(inner, name.end())
        if operator is None:
            raise _invalid(f"${{{inner}}}", "after the name comes } or one of :- - :? ? :+ +")
        return self._operated(name[0], operator[0], inner[operator.end() :], nesting)

    def _operated(self, name: str, operator: str, argument: str, nesting: int) -> str:
        value = self._find(name)
        there = value is not None and (value != "" or operator[0] != ":")
        if operator[-1] == "+":
            return self._replace(argument, nesting + 1) if there else ""
        if there:
            return value or ""
        if operator[-1] == "-":
            return self._replace(argument, nesting + 1)
        reason = self._replace(argument, nesting + 1) or "it is required"
        state = "not set" if value is None else "empty"
        raise VariableProblem(f"variable {name} is {state}: {_one_line(reason)}")

    def _value(self, name: str) -> str:
        value = self._find(name)
        if value is None and self.blank:
            self.missed.append(name)
            return ""
        if value is None:
            raise VariableProblem(
                f"variable {name} is not set; set it in the environment or in .env beside the "
                f"file, or write ${{{name}:-default}}, or $$ for a plain $"
            )
        return value

    def _find(self, name: str) -> str | None:
        value = self.lookup(name)
        if value is not None and not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise VariableProblem(f"the value of variable {name} is not UTF-8") from None
        return value


def _closing_brace(text: str, at: int) -> int:
    """The `}` that closes the `{` at `at`; where none balances it, the text's last, as Compose."""
    depth = 0
    for brace in _BRACE.finditer(text, at):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.start()
    last = text.rfind("}")
    return last if last > at else -1


def _invalid(reference: str, reason: str) -> VariableProblem:
    return VariableProblem(
        f"{shown(reference)} is not a reference to a variable ({reason}); write $$ for a plain $"
    )


def _one_line(text: str) -> str:
    return shown(text) if not text.isprintable() or len(text) > 200 else text
