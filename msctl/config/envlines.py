"""The entries of a file of variables, as Docker Compose reads them.

Source: compose-go, `dotenv/parser.go`. What is quoted may go over several lines; behind the closing
quote a new entry begins. A comment begins with `#` at an entry's place, or with a space and `#` in
a value without quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_BLANK = "\t\v\f\r \x85\xa0"
"""Go's `isSpace` of that file."""
_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""Go's `unicode.IsSpace`."""
_NAME = re.compile(rf"(?:export(?=[{_BLANK}\n])[{_BLANK}]*)?([^=:\n]*)([=:\n]|\Z)")
_LETTERS = re.compile(r"[\w.\[\]-]*")
_ESCAPE = re.compile(r'\\(?:[abcfnrtv$"\\]|0\d{0,3})', re.ASCII)
_ESCAPED = dict(zip('abfnrtv"\\', '\a\b\f\n\r\t\v"\\', strict=True)) | {"$": "$$"}


@dataclass(frozen=True)
class Entry:
    """One of them; without a name it cannot be read."""

    line: int
    name: str | None
    value: str | None = None
    """In it `$` begins a reference; None: it is the environment's."""


def entries(text: str) -> Iterator[Entry]:
    """The entries of a file, up to the first whose quotes are not closed."""
    at, line, seen = 0, 1, 0
    while (at := _statement(text, at)) < len(text):
        line += text.count("\n", seen, at)
        seen = at
        found = _NAME.match(text, at)
        assert found is not None
        name, at = found[1].rstrip(_SPACE), found.end()
        right = bool(name) and _LETTERS.fullmatch(name) is not None
        if found[2] in ("\n", ""):  # at the file's end, Docker Compose takes it for a value
            yield Entry(line, name if right and found[2] else None)
            continue
        while at < len(text) and text[at] in _BLANK:
            at += 1
        value, at = _value(text, at)
        yield Entry(line, name if right and value is not None else None, value)
        if value is None:
            return


def _statement(text: str, at: int) -> int:
    """Where the next entry begins."""
    while at < len(text):
        if text[at] in _SPACE:
            at += 1
        elif text[at] == "#":
            at = _line_end(text, at)
        else:
            break
    return at


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _value(text: str, at: int) -> tuple[str | None, int]:
    """A value and where what follows begins; None: its quotes are not closed."""
    quote = text[at : at + 1]
    if quote not in ("'", '"'):
        end = _line_end(text, at)
        return text[at:end].partition(" #")[0].rstrip(_SPACE), end
    found: list[str] = []
    escaped = False
    for index in range(at + 1, len(text)):
        character = text[index]
        if character == "\\" and not escaped:
            escaped = True
            continue
        if character == quote and not escaped:
            whole = "".join(found)
            return whole.replace("$", "$$") if quote == "'" else _unescaped(whole), index + 1
        found.append(f"\\{character}" if escaped and character != quote else character)
        escaped = False
    return None, len(text)


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: _character(found[0]), text)


def _character(escape: str) -> str:
    if not escape.startswith("\\0"):
        return _ESCAPED.get(escape[1], escape)
    octal = escape[2:]
    if re.fullmatch(r"[01][0-7]{2}", octal):
        return chr(int(octal, 8))
    return f"\\{octal}"
