"""Prometheus's text format, as a gateway's `/metrics` page has it. Pure.

Source: prometheus.io/docs/instrumenting/exposition_formats, "Text-based format".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_LINE = re.compile(r'([A-Za-z_:][\w:]*)(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})?[ \t]+(\S+)')
_LABEL = re.compile(r'([A-Za-z_]\w*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True)
class Line:
    """One series and its value of now."""

    name: str
    labels: Mapping[str, str]
    value: float


def lines(page: str, *names: str) -> Iterator[Line]:
    """The series of these names; what is no line of the format is passed over."""
    for text in page.splitlines():
        if not text.startswith(names) or (found := _LINE.match(text)) is None:
            continue
        name, labels, value = found.groups()
        if name not in names:
            continue
        try:
            number = float(value)
        except ValueError:
            continue
        yield Line(name, {k: _plain(v) for k, v in _LABEL.findall(labels or "")}, number)


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda found: "\n" if found[1] == "n" else found[1], text)
