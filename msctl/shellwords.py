"""Words of a shell: a command line split as Docker Compose does it, and names quoted.

Source of the splitting: mattn/go-shellwords, which compose-go splits `command` and `entrypoint`
with.
"""

from __future__ import annotations

import re
import shlex


def quoted(word: str) -> str:
    """A word for a command that is shown to be typed: one line, whatever the word holds."""
    if word.isprintable():
        return shlex.quote(word)
    escaped = word.encode("unicode_escape").decode("ascii").replace("'", "\\'")
    return f"$'{escaped}'"


def shell_words(line: str) -> list[str]:
    """The words of a line; an unquoted `;`, `&`, `|`, `<` or `>` ends the command.

    Raises:
        ValueError: Docker Compose cannot split it; the message says why.
    """
    words: list[str] = []
    word, started, quote, escaped = "", False, "", False
    for character in line:
        if escaped:
            escaped, started = False, True
            plain = {"t": "\t", "n": "\n"}.get(character, character)
            word += "\\" + character if quote in {"`", ")"} else plain
        elif character == "\\" and quote != "'":
            escaped = True
        elif character in " \t\r\n" and not quote:
            words += [word] if started else []
            word, started = "", False
        elif character == "(" and quote == ")":
            raise ValueError("parentheses inside $( )")
        elif quote:
            closing = character == quote
            if closing:
                quote = ""
            word += "" if closing and character in "'\"" else character
            started = True
        elif character in "'\"":
            quote = character
        elif character == "(" and word.endswith("$") and not word.endswith("\\$"):
            quote, word = ")", word + character
        elif character in "()":
            raise ValueError("a parenthesis without quotes")
        elif character in ";&|<>":
            started = started and not (character == ">" and re.fullmatch("[0-9]+", word))
            break
        else:
            quote = "`" if character == "`" else ""
            word, started = word + character, True
    if quote or escaped:
        raise ValueError("no closing quotation")
    return [*words, word] if started else words
