"""Text that is no YAML: what is wrong with it, in one line."""

from __future__ import annotations

import yaml
from yaml.reader import Reader

from msctl.config.problems import Malformed
from msctl.fields import shown

MAX_BYTES = 1024 * 1024
_CONTROL = Reader.NON_PRINTABLE
_QUOTE_VARIABLE = "; quote a ${VAR} that stands inside [ ] or { }"


def checked_text(data: bytes | str) -> str:
    """Text that is worth parsing: UTF-8 (a byte order mark is taken off), not too long, no binary.

    Raises:
        Malformed: the data is none of this.
    """
    size = len(data) if isinstance(data, bytes) else len(data.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise Malformed(1, "the file is larger than 1 MiB; is it a stack file?")
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise Malformed(line, "not text in UTF-8; is it a stack file?") from None
    text = text.removeprefix("\ufeff")
    if found := _CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        code = f"U+{ord(found[0]):04X}"
        raise Malformed(line, f"holds the character {code}, which YAML does not allow")
    return text


def explain(error: yaml.YAMLError, text: str) -> Malformed:
    """The parser's error in plain words, with line and column."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return Malformed(1, "not valid YAML")
    lines = text.split("\n")
    # Libyaml's mark may stand behind the last line.
    line = min(mark.line, len(lines) - 1)
    message = _meaning(error, lines[line], mark.column)
    return Malformed(line + 1, f"not valid YAML at column {mark.column + 1}: {message}")


def _meaning(error: yaml.YAMLError, line: str, column: int) -> str:
    problem = str(getattr(error, "problem", None) or "syntax error")
    context = getattr(error, "context_mark", None)
    start = "" if context is None else f" that starts in line {context.line + 1}"
    character = line[column : column + 1]
    if "cannot start any token" in problem:
        if character == "\t":
            return "a tab stands here; indent with spaces"
        return f"text cannot start with {shown(character)}; quote it"
    if "tab character" in problem:
        return "a tab stands here; indent with spaces"
    if "mapping values are not allowed" in problem:
        return "a ':' is not expected here; quote text that holds ': ', or mend the indentation"
    if "expected ':'" in problem:
        return "a ':' is missing after a key"
    if line[:column].rstrip()[-1:] in ("'", '"') and "expected key" in problem:
        return "text follows a closing quote; put the whole value in quotes"
    if "expected key" in problem or "<block end>" in problem:
        return "a key is expected here; is the line indented like its neighbours?"
    if "'-' indicator" in problem:
        return "an item with '- ' is expected here; is the line indented like its neighbours?"
    if "or ']'" in problem:
        return f"the list{start} lacks a ',' or its ']'{_hint(line)}"
    if "or '}'" in problem:
        return f"the mapping{start} lacks a ',' or its '}}'{_hint(line)}"
    if "end of stream" in problem:
        return f"the quoted text{start} is not closed"
    if "node content" in problem:
        return "a value is expected here"
    if "sequence entries" in problem:
        return "a list cannot start here; its first '- ' stands in the line below the key"
    if "alphabetic or numeric" in problem:
        return "a name is expected after * or &; quote text that starts with one"
    if "document start" in problem or "document end" in problem:
        return f"nothing more is expected here{_hint(line)}"
    if "escape" in problem:
        return 'an unknown \\ escape in "…"; in single quotes a \\ is itself'
    return " ".join(problem.split())


def _hint(line: str) -> str:
    return _QUOTE_VARIABLE if "${" in line else ""
