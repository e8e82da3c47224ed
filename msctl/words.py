"""Small matters of language."""

from __future__ import annotations


def plural(count: int, word: str) -> str:
    """`1 replica`, `2 replicas`."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
