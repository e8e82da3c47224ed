"""Nearest known names, for messages about unknown ones."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'web'?`, or the known names when none is near."""
    from difflib import get_close_matches  # for a word that is wrong, not for every command

    names = list(known)
    near = get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f" (known: {', '.join(names)})" if names else ""
