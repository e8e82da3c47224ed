"""Blocks as lines of a terminal: columns aligned, texts broken between words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product

from msctl.ui.line import ELLIPSIS, Line, cells
from msctl.views import Block, Cell, Flow, Paragraph, Table, neutral

_READABLE, _NARROWEST = 14, 8
"""Columns that a cell keeps as long as others can be left out, and when the terminal is too narrow
for that."""
_GAP = "  "
"""Between two columns."""


def laid_out(block: Block, width: int | None) -> list[Line]:
    """The lines of a block, within `width` columns where there is such a limit."""
    if isinstance(block, Table):
        return _table(block, width)
    if isinstance(block, Flow):
        return list(_flow(block, width))
    if isinstance(block, Paragraph):
        return list(_paragraph(block, width))
    return [_line(block)]


def _line(shown: Sequence[Cell]) -> Line:
    return Line((neutral(cell.text), cell.style) for cell in shown)


def _flow(flow: Flow, width: int | None) -> Iterator[Line]:
    gap, line = Line([(_GAP, "")]), Line()
    for shown in flow.parts:
        part = _line(shown)
        if width is not None and line.parts and line.width + len(_GAP) + part.width > width:
            yield line
            line = Line()
        line = line + gap + part if line.parts else part
    yield line


def _paragraph(paragraph: Paragraph, width: int | None) -> Iterator[Line]:
    lead, text = _line(paragraph.lead), _line([paragraph.text])
    room = None if width is None else width - lead.width
    if room is None or room < _NARROWEST:
        yield lead + text
        return
    indent = Line([(" " * lead.width, "")])
    for number, words in enumerate(_wrapped(text.plain, room)):
        yield (indent if number else lead) + Line([(words, paragraph.text.style)])


def _wrapped(text: str, width: int) -> list[str]:
    """A word that is longer than a line, such as a path, is not broken: it can be copied."""
    import textwrap

    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]


def _table(table: Table, width: int | None) -> list[Line]:
    """The rows with their columns aligned, within `width` where there is one."""
    heads = [Cell(heading, "bold") for heading in table.headings]
    rows = [
        [replace(cell, text=neutral(cell.text).replace("\n", " ")) for cell in row]
        for row in [heads, *table.rows]
    ]
    widths = _widths(table, rows, width)
    lines = []
    for row in rows:
        if not any(cell.text for cell in row[1:]):  # a remark has the whole line
            line = Line([(row[0].text, row[0].style)])
            lines.append(line if width is None else line.cut(width))
            continue
        line = Line()
        for column, column_width in widths.items():
            cell = row[column]
            words = cell.text
            if cell.tail and cells(words) > column_width:
                indent = words[: len(words) - len(words.lstrip())]
                words = f"{indent}{ELLIPSIS}{words[1 + len(indent) - column_width :]}"
            part = Line([(words, cell.style)]).cut(column_width).padded(column_width)
            line = line + part + Line([(_GAP, "")])
        line = line.trimmed()
        lines.append(line if width is None else line.cut(width))
    return lines


def _widths(table: Table, rows: Sequence[Sequence[Cell]], width: int | None) -> dict[int, int]:
    """The width of each column that is shown, from left to right."""
    widths = {
        number: max(cells(cell.text) for cell in column)
        for number, column in enumerate(zip(*rows, strict=True))
    }
    if width is None:
        return widths
    least = {n: min(w, _READABLE) if n in table.shrink else w for n, w in widths.items()}
    whole = {**least, 0: widths[0]}
    for headings, needed in ((table.spare, whole), (table.drop, least)):
        for heading in headings:
            if _together(needed) <= width:
                break
            if heading in table.headings:
                column = list(table.headings).index(heading)
                for one in (widths, least, whole):
                    one.pop(column, None)
    excess = max(0, _together(widths) - width)
    for floor, column in product((_READABLE, _NARROWEST), table.shrink):
        if widths.get(column, 0) > floor:
            less = min(excess, widths[column] - floor)
            widths[column] -= less
            excess -= less
    return widths


def _together(widths: Mapping[int, int]) -> int:
    return sum(widths.values()) + len(_GAP) * (len(widths) - 1)
