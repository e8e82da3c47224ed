"""A service put into a stack file's text; all that stands there already stays as it is. Pure.

The text is not read and written anew, which would cost it its looks: lines are put into it, at a
place that the parser's marks tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import yaml

from msctl.render.document import OnOneLine, dump


@dataclass(frozen=True)
class Edited:
    """A text with a service more."""

    text: str
    added: str
    """What was put in, without empty lines around it."""
    line: int
    """Line in which it begins, from 1."""


@dataclass(frozen=True)
class _Sibling:
    """A service of the file: where it begins, and where what belongs to it ends."""

    name: str
    start: int
    end: int
    value: yaml.Node


def with_service(
    text: str, name: str, entry: Mapping[str, Any], *, behind: Callable[[str], bool]
) -> Edited:
    """The text of a stack file, which is right, with the service `name` in it.

    It comes behind the last service for whose name `behind` holds, else behind the last of all, and
    is indented as its neighbours are. Comments that are indented deeper than the name of a service
    belong to it.

    Raises:
        ValueError: the text has no services of its own to put it behind.
    """
    root = _root(text)
    services = _services(root)
    if not isinstance(services, yaml.MappingNode) or not services.value:
        return _first(text, root, services, name, entry)
    if services.flow_style:
        return _into_flow(text, services, name, entry)
    siblings = _siblings(text, services)
    place = next((one for one in reversed(siblings) if behind(one.name)), siblings[-1])
    column = services.value[0][0].start_mark.column
    step = _column_of(place.value) or column + 2
    newline = _newline(text)
    added = _block(name, entry, column, step, newline)
    before = text[: place.end]
    if not before.endswith("\n"):
        before += newline
    if _are_apart(text, siblings):
        before += newline
    rest = text[place.end :]
    return Edited(f"{before}{added}{newline}{rest}", added, before.count("\n") + 1)


def in_one_line(value: object) -> str:
    """A value as it stands behind its key: `[{path: /api, strip: true}]`."""
    return dump({"key": OnOneLine(value)}).removeprefix("key:").strip()


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _block(name: str, entry: Mapping[str, Any], column: int, step: int, newline: str) -> str:
    lines = [f"{' ' * column}{in_one_line(name)}:"]
    lines += [f"{' ' * step}{key}: {in_one_line(value)}" for key, value in entry.items()]
    return newline.join(lines)


def _root(text: str) -> yaml.MappingNode:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:  # it knows less of tabs than the file's own reader
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ValueError(f"line {line} is not understood; is there a tab in it?") from None
    if isinstance(root, yaml.MappingNode):
        return root
    raise ValueError("its services are not written in it")


def _services(root: yaml.MappingNode) -> yaml.Node | None:
    """What stands behind `services:`: a mapping, or nothing; None where the file has no such key.

    Raises:
        ValueError: something else stands there.
    """
    found: yaml.Node | None = next((v for key, v in root.value if key.value == "services"), None)
    if found is None and any(key.value == "<<" for key, _ in root.value):
        raise ValueError("its services are not written in it")
    empty = isinstance(found, yaml.ScalarNode) and found.tag == "tag:yaml.org,2002:null"
    if found is None or empty or isinstance(found, yaml.MappingNode):
        return found
    raise ValueError("its services are not written in it")


def _first(
    text: str,
    root: yaml.MappingNode,
    services: yaml.Node | None,
    name: str,
    entry: Mapping[str, Any],
) -> Edited:
    """The only service of a file, whose `services` is `{}` or nothing, or is not there."""
    newline = _newline(text)
    if root.flow_style:
        if not isinstance(services, yaml.MappingNode):
            raise ValueError("write services: {} where the service shall stand")
        added = f"{in_one_line(name)}: {in_one_line(dict(entry))}"
        head = text[: services.start_mark.index]
        rest = text[services.end_mark.index :]
        return Edited(f"{head}{{{added}}}{rest}", added, head.count("\n") + 1)
    column = root.value[0][0].start_mark.column
    added = _block(name, entry, column + 2, column + 4, newline)
    if services is None:
        before = text if text.endswith("\n") else f"{text}{newline}"
        before += f"{newline}{' ' * column}services:{newline}"
        return Edited(f"{before}{added}{newline}", added, before.count("\n") + 1)
    head, rest = text[: services.start_mark.index], text[services.end_mark.index :]
    behind, _, rest = rest.partition("\n")  # a comment, say
    before = f"{head.rstrip(' ')}{behind.rstrip()}{newline}"
    return Edited(f"{before}{added}{newline}{rest}", added, before.count("\n") + 1)


def _siblings(text: str, services: yaml.MappingNode) -> list[_Sibling]:
    """The services in the order of the text."""
    starts = [key.start_mark.index for key, _ in services.value]
    column = services.value[0][0].start_mark.column if services.value else 0
    stops = [*(_line_start(text, start) for start in starts[1:]), services.end_mark.index]
    return [
        _Sibling(key.value, start, _end(text, start, stop, column), value)
        for (key, value), start, stop in zip(services.value, starts, stops, strict=True)
    ]


def _line_start(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


def _end(text: str, start: int, stop: int, column: int) -> int:
    """Where a service ends: empty lines, and comments that are not its own, come behind it."""
    lines = text[start:stop].splitlines(keepends=True)
    while len(lines) > 1:
        bare = lines[-1].strip()
        indent = len(lines[-1]) - len(lines[-1].lstrip())
        if bare and not (bare.startswith("#") and indent <= column):
            break
        lines.pop()
    return start + sum(map(len, lines))


def _column_of(value: yaml.Node) -> int | None:
    """How far a service's keys are indented; None where they do not stand in lines of their own."""
    if isinstance(value, yaml.MappingNode) and not value.flow_style and value.value:
        column: int = value.value[0][0].start_mark.column
        return column
    return None


def _are_apart(text: str, siblings: list[_Sibling]) -> bool:
    """Whether empty lines stand between services."""
    gaps = [text[one.end : following.start] for one, following in pairwise(siblings)]
    return any(not line.strip() for gap in gaps for line in gap.splitlines()[:1])


def _into_flow(
    text: str, services: yaml.MappingNode, name: str, entry: Mapping[str, Any]
) -> Edited:
    """Behind the last one of `services: {…}`."""
    end = services.value[-1][1].end_mark.index
    head, rest = text[:end], text[end:]
    added = f"{in_one_line(name)}: {in_one_line(dict(entry))}"
    return Edited(f"{head}, {added}{rest}", added, head.count("\n") + 1)
