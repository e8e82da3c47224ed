"""The parser's events → a tree of nodes, bounded in depth and number before anything is built.

PyYAML's own composer recurses as deep as the text says, and knows no bounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from msctl.config import scalars
from msctl.config.problems import Malformed
from msctl.fields import shown

MAX_DEPTH = 64
MAX_VALUES = 200_000
_PARSER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_MERGE = "<<"


@dataclass
class Node:
    """A value as it is written; the same one again wherever an alias names it."""

    line: int
    scalar: object = None
    items: list[Node] | None = None
    entries: list[tuple[Node, Node]] | None = None
    merge: bool = False
    tag: str | None = None


def compose(text: str, tags: frozenset[str] = frozenset()) -> Node | None:
    """The text's one document; None: there is none. `tags` are those that may stand in it.

    Raises:
        Malformed: the text is not within bounds, or holds several documents or tags.
        yaml.YAMLError: it is no YAML.
    """
    return _document(_Events(yaml.parse(text, Loader=_PARSER), tags))


class _Events:
    """The parser's events, one ahead, and the anchors seen so far."""

    def __init__(self, events: Iterator[yaml.Event], tags: frozenset[str]) -> None:
        self._events, self.tags = events, tags
        self._nodes = 0
        self.anchors: dict[str, Node] = {}
        self.open: set[str] = set()

    def next(self) -> yaml.Event:
        return next(self._events)

    def count(self, line: int) -> None:
        self._nodes += 1
        if self._nodes > MAX_VALUES:
            raise Malformed(line, f"more than {MAX_VALUES} values")


def _line(event: yaml.Event) -> int:
    assert event.start_mark is not None  # every event of a parser has one
    return event.start_mark.line + 1


def _document(events: _Events) -> Node | None:
    root: Node | None = None
    events.next()  # the stream starts
    while not isinstance(event := events.next(), yaml.StreamEndEvent):
        if root is not None:
            raise Malformed(_line(event), "a second document starts here; a stack file is one")
        root = _node(events, events.next(), 0)
        events.next()  # the document ends
    return root


def _node(events: _Events, event: yaml.Event, depth: int) -> Node:
    line = _line(event)
    events.count(line)
    if depth > MAX_DEPTH:
        raise Malformed(line, f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(event, yaml.AliasEvent):
        assert event.anchor is not None
        return _aliased(events, event.anchor, line)
    assert isinstance(event, yaml.NodeEvent)
    node = Node(line)
    tag = getattr(event, "tag", None)
    if tag in events.tags:
        node.tag, event = tag, _without_tag(event)
    if event.anchor is not None:
        events.open.add(event.anchor)
    if isinstance(event, yaml.ScalarEvent):
        node.scalar = _scalar(event, line)
        node.merge = event.implicit[0] and event.value == _MERGE
    elif isinstance(event, yaml.SequenceStartEvent):
        _refuse_tag(event.tag, "seq", line)
        node.items = []
        while not isinstance(inner := events.next(), yaml.SequenceEndEvent):
            node.items.append(_node(events, inner, depth + 1))
    elif isinstance(event, yaml.MappingStartEvent):
        _refuse_tag(event.tag, "map", line)
        node.entries = []
        while not isinstance(inner := events.next(), yaml.MappingEndEvent):
            key = _node(events, inner, depth + 1)
            node.entries.append((key, _node(events, events.next(), depth + 1)))
    if event.anchor is not None:
        events.open.discard(event.anchor)
        events.anchors[event.anchor] = node
    return node


def _aliased(events: _Events, anchor: str, line: int) -> Node:
    if anchor in events.open:
        raise Malformed(line, f"alias *{anchor} stands inside the value that it names")
    if anchor not in events.anchors:
        raise Malformed(line, f"alias *{anchor} has no anchor &{anchor} above it")
    return events.anchors[anchor]


def _without_tag(event: yaml.NodeEvent) -> yaml.NodeEvent:
    event.tag = None  # type: ignore[attr-defined]  # every event but an alias has one
    if isinstance(event, yaml.ScalarEvent) and not event.style:
        event.implicit = (True, False)
    return event


def _refuse_tag(tag: str | None, allowed: str, line: int) -> None:
    if tag not in (None, "!", _TAG + allowed):
        name = str(tag).replace(_TAG, "!!")
        raise Malformed(line, f"tag {shown(name)} is not allowed; remove it")


def _scalar(event: yaml.ScalarEvent, line: int) -> object:
    if event.tag in (None, "!") and event.implicit[0]:
        return scalars.plain(event.value)
    _refuse_tag(event.tag, "str", line)
    return event.value
