"""YAML text → plain data, and the line of every key and item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml

from msctl.config.problems import Malformed, Path, Problem
from msctl.config.syntax import checked_text, explain
from msctl.config.yamlnodes import MAX_DEPTH, MAX_VALUES, Node, compose
from msctl.fields import shown


@dataclass(frozen=True)
class Document:
    """A file's data. `problems` are those that let the rest be read: keys given twice, and such."""

    value: dict[str, object]
    lines: Mapping[Path, int]
    problems: tuple[Problem, ...]
    tags: Mapping[Path, str] = field(default_factory=dict)
    """The tags of values, where tags may stand."""

    def place(self, path: Path) -> Path:
        """The deepest part of a path that is written in the file.

        Short forms make the difference: `replicas: 0` stands for `replicas.initial`, and
        `routes: /api` for `routes[0].path`.
        """
        found: Path = ()
        for part in path:
            if (*found, part) in self.lines:
                found = (*found, part)
            elif isinstance(part, str):
                break
        return found

    def problem(self, path: Path, message: str) -> Problem:
        """A problem at a path, on its line."""
        place = self.place(path)
        return Problem(self.lines[place], place, message)


def parse(data: bytes | str, tags: frozenset[str] = frozenset()) -> Document:
    """Read a stack file's text; `tags` are those that may stand in it.

    Raises:
        Malformed: it is no YAML, not one mapping, or larger than msctl reads.
    """
    text = checked_text(data)
    try:
        root = compose(text, tags)
    except yaml.YAMLError as error:
        raise explain(error, text) from None
    if root is None or (root.scalar is None and root.items is None and root.entries is None):
        raise Malformed(1, "the file is empty; `msctl init` writes a starter")
    if root.entries is None:
        what = "a list" if root.items is not None else shown(root.scalar)
        raise Malformed(root.line, f"the file is {what}, not a mapping with name: and services:")
    values = _Values()
    value = values.mapping(root, (), 0)
    return Document(value, values.lines, tuple(values.problems.values()), values.tags)


@dataclass
class _Values:
    """Nodes → values; aliases are expanded, within bounds."""

    lines: dict[Path, int] = field(default_factory=lambda: {(): 1})
    problems: dict[tuple[int, str], Problem] = field(default_factory=dict)
    tags: dict[Path, str] = field(default_factory=dict)
    count: int = 0

    def value(self, node: Node, path: Path, depth: int) -> object:
        # Text counts for its length, too, so that aliases cannot make gigabytes of it.
        length = len(node.scalar) if isinstance(node.scalar, str) else 0
        self._bound(node, path, depth, 1 + length // 100)
        if node.tag is not None:
            self.tags[path] = node.tag
        if node.entries is not None:
            return self.mapping(node, path, depth)
        if node.items is None:
            return node.scalar
        values = []
        for index, item in enumerate(node.items):
            self.lines[*path, index] = item.line
            values.append(self.value(item, (*path, index), depth + 1))
        return values

    def mapping(self, node: Node, path: Path, depth: int) -> dict[str, object]:
        found: dict[str, object] = {}
        for name, (line, item) in self._entries(node, path, depth).items():
            self.lines[*path, name] = line
            found[name] = self.value(item, (*path, name), depth + 1)
        return found

    def _bound(self, node: Node, path: Path, depth: int, values: int) -> None:
        self.count += values
        if self.count > MAX_VALUES:
            message = f"more than {MAX_VALUES} values once every alias is expanded"
            raise Malformed(node.line, message, path[:4])
        if depth > MAX_DEPTH:
            raise Malformed(node.line, f"nested deeper than {MAX_DEPTH} levels", path[:4])

    def _entries(self, node: Node, path: Path, depth: int) -> dict[str, tuple[int, Node]]:
        """A mapping's entries and their lines; its own win over what `<<` brings in."""
        entries = node.entries or []
        self._bound(node, path, depth, len(entries))
        found: dict[str, tuple[int, Node]] = {}
        merged: list[Node] = []
        first: dict[str, int] = {}
        for key, item in entries:
            name = self._name(key, path)
            if name is None:
                continue
            if name in first:
                message = f"key {shown(name)} is given twice; first in line {first[name]}"
                self._report(key.line, path, message)
                continue
            first[name] = key.line
            if key.merge:
                merged = _merge_sources(item, key.line, path)
            else:
                found[name] = (key.line, item)
        for source in merged:
            for name, entry in self._entries(source, path, depth + 1).items():
                found.setdefault(name, entry)
        return found

    def _name(self, key: Node, path: Path) -> str | None:
        if isinstance(key.scalar, str):
            return key.scalar
        if key.items is not None or key.entries is not None:
            message = "a key is text, not a list or mapping; quote a value that starts with [ or {"
        elif key.scalar is None:
            message = "a key is missing before ':'"
        else:
            message = f'key {shown(key.scalar)} is not text; quote it: "{shown(key.scalar)}"'
        self._report(key.line, path, message)
        return None

    def _report(self, line: int, path: Path, message: str) -> None:
        """Note a problem, once for all the aliases of a mapping."""
        self.problems.setdefault((line, message), Problem(line, path, message))


def _merge_sources(node: Node, line: int, path: Path) -> list[Node]:
    sources = [node] if node.items is None else node.items
    if any(source.entries is None for source in sources):
        raise Malformed(line, "<< takes a mapping, or a list of mappings", path)
    return sources
