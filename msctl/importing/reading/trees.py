"""A Compose file's values, each with the file and line that it was written in, whatever files they
are put together from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from msctl.config.problems import Path
from msctl.config.yamltext import Document


@dataclass(frozen=True)
class Tree:
    """A value: a scalar, or what holds others."""

    value: Any
    line: int
    file: str
    """From the main file's folder."""
    tag: str | None = None

    @property
    def entries(self) -> Mapping[str, Tree]:
        """A mapping's; nothing where it is none."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def items(self) -> list[Tree]:
        """A list's, or the only one."""
        if isinstance(self.value, list):
            return self.value
        return [] if self.value is None else [self]

    def of(self, value: Any) -> Tree:
        """Another value that stands here."""
        return replace(self, value=value, tag=None)

    def without(self, key: str) -> Tree:
        return self.of({name: entry for name, entry in self.entries.items() if name != key})

    def plain(self) -> Any:
        """The value without its places."""
        if isinstance(self.value, dict):
            return {key: entry.plain() for key, entry in self.value.items()}
        if isinstance(self.value, list):
            return [entry.plain() for entry in self.value]
        return self.value

    def changed(self, change: Callable[[str], str]) -> Tree:
        """With each text changed."""
        if isinstance(self.value, dict):
            value: Any = {key: entry.changed(change) for key, entry in self.value.items()}
        elif isinstance(self.value, list):
            value = [entry.changed(change) for entry in self.value]
        else:
            value = change(self.value) if isinstance(self.value, str) else self.value
        return replace(self, value=value)


def tree_of(document: Document, file: str) -> Tree:
    """A document's values."""

    def read(value: Any, path: Path) -> Tree:
        found: Any = value
        if isinstance(value, dict):
            found = {key: read(item, (*path, key)) for key, item in value.items()}
        elif isinstance(value, list):
            found = [read(item, (*path, index)) for index, item in enumerate(value)]
        return Tree(found, document.lines[path], file, document.tags.get(path))

    return read(document.value, ())


def document_of(tree: Tree) -> tuple[Document, Mapping[Path, str]]:
    """A tree as a document again, and the file in which each of its values is written."""
    places = dict(_places(tree, ()))
    lines = {path: found.line for path, found in places.items()}
    return Document(tree.plain(), lines, ()), {path: found.file for path, found in places.items()}


def _places(tree: Tree, path: Path) -> Iterator[tuple[Path, Tree]]:
    yield path, tree
    inner = enumerate(tree.value) if isinstance(tree.value, list) else tree.entries.items()
    for key, entry in inner:
        yield from _places(entry, (*path, key))
