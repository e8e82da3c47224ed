"""Blocks as lines of a terminal: columns aligned, texts broken between words."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product

from rich.cells import cell_len
from rich.text import Text

from msctl.views import Block, Cell, Flow, Paragraph, Table, neutral

_READABLE, _NARROWEST = 14, 8
"""Columns that a cell keeps as long as others can be left out, and when the terminal is too narrow
for that."""
_GAP = "  "
"""Between two columns."""


def laid_out(block: Block, width: int | None) -> list[Text]:
    """The lines of a block, within `width` columns where there is such a limit."""
    if isinstance(block, Table):
        return _table(block, width)
    if isinstance(block, Flow):
        return list(_flow(block, width))
    if isinstance(block, Paragraph):
        return list(_paragraph(block, width))
    return [_line(block)]


def _line(cells: Sequence[Cell]) -> Text:
    return Text.assemble(*((neutral(cell.text), cell.style) for cell in cells))


def _flow(flow: Flow, width: int | None) -> Iterator[Text]:
    text = Text()
    for cells in flow.parts:
        part = _line(cells)
        if width is not None and text and text.cell_len + len(_GAP) + part.cell_len > width:
            yield text
            text = Text()
        text = text.append(_GAP).append_text(part) if text else part
    yield text


def _paragraph(paragraph: Paragraph, width: int | None) -> Iterator[Text]:
    lead, text = _line(paragraph.lead), _line([paragraph.text])
    indent = lead.cell_len
    room = None if width is None else width - indent
    if room is None or room < _NARROWEST:
        yield lead.append_text(text)
        return
    for number, line in enumerate(_wrapped(text.plain, room)):
        yield (Text(" " * indent) if number else lead).append(line, paragraph.text.style)


def _wrapped(text: str, width: int) -> list[str]:
    """A word that is longer than a line, such as a path, is not broken: it can be copied."""
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]


def _table(table: Table, width: int | None) -> list[Text]:
    """The rows with their columns aligned, within `width` where there is one."""
    heads = [Cell(heading, "bold") for heading in table.headings]
    rows = [
        [replace(cell, text=neutral(cell.text).replace("\n", " ")) for cell in row]
        for row in [heads, *table.rows]
    ]
    widths = _widths(table, rows, width)
    texts = []
    for row in rows:
        if not any(cell.text for cell in row[1:]):  # a remark has the whole line
            text = Text(row[0].text, row[0].style)
            text.truncate(width or text.cell_len, overflow="ellipsis")
            texts.append(text)
            continue
        text = Text()
        for column, column_width in widths.items():
            cell = row[column]
            words = cell.text
            if cell.tail and cell_len(words) > column_width:
                indent = words[: len(words) - len(words.lstrip())]
                words = f"{indent}…{words[1 + len(indent) - column_width :]}"
            part = Text(words, cell.style)
            part.truncate(column_width, overflow="ellipsis", pad=True)
            text.append_text(part).append(_GAP)
        text.rstrip()
        text.truncate(width or text.cell_len, overflow="ellipsis")
        texts.append(text)
    return texts


def _widths(table: Table, rows: Sequence[Sequence[Cell]], width: int | None) -> dict[int, int]:
    """The width of each column that is shown, from left to right."""
    widths = {
        number: max(cell_len(cell.text) for cell in column)
        for number, column in enumerate(zip(*rows, strict=True))
    }
    if width is None:
        return widths
    least = {n: min(w, _READABLE) if n in table.shrink else w for n, w in widths.items()}
    for heading in table.drop:
        if _together(least) <= width:
            break
        if heading in table.headings:
            column = list(table.headings).index(heading)
            del widths[column], least[column]
    excess = max(0, _together(widths) - width)
    for floor, column in product((_READABLE, _NARROWEST), table.shrink):
        if widths.get(column, 0) > floor:
            less = min(excess, widths[column] - floor)
            widths[column] -= less
            excess -= less
    return widths


def _together(widths: Mapping[int, int]) -> int:
    return sum(widths.values()) + len(_GAP) * (len(widths) - 1)
