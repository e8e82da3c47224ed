"""The files that one Compose file is made of (`-f` several times, `include`, `extends`) → one
document, whose values know where they were written."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msctl.config import envfiles, yamltext
from msctl.config.problems import Malformed, Path, Problem
from msctl.config.variables import Lookup, Substitution
from msctl.config.yamltext import Document
from msctl.importing.reading.interpolating import names_put_in, put_in
from msctl.importing.reading.merging import RESET, TAGS, merged, settled
from msctl.importing.reading.trees import Tree, document_of, tree_of
from msctl.importing.source import Note
from msctl.render.document import moved, moved_mount

MOST_FILES = 100
SECTIONS = ("services", "networks", "volumes", "secrets", "configs")
ReadFile = Callable[[str], bytes]


class BrokenFile(Exception):
    """A file that cannot be read as YAML."""

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        super().__init__(file)
        self.file, self.problems = file, tuple(problems)


@dataclass(frozen=True)
class Composed:
    """A Compose file, put together."""

    document: Document
    files: Mapping[Path, str]
    """Where values are written that are not in the main file, from that one's folder."""
    lost: tuple[Note, ...]
    """What could not be taken in, and why."""


def composed(files: Sequence[str], read: ReadFile, lookup: Lookup) -> Composed:
    """Put a Compose file together; each of `files` wins over those before it.

    Their paths, and those of what they include or extend, start at the first one's folder.

    Raises:
        OSError: one of `files` cannot be read.
        BrokenFile: a file is no YAML.
    """
    reading = _Reading(files[0], read, lookup)
    whole = reading.file(files[0])
    for other in files[1:]:
        whole = merged(whole, reading.file(other))
    document, places = document_of(settled(whole))
    others = {path: file for path, file in places.items() if file != files[0]}
    return Composed(document, others, tuple(reading.lost))


@dataclass
class _Reading:
    main: str
    read: ReadFile
    lookup: Lookup
    lost: list[Note] = field(default_factory=list)
    known: dict[str, Tree] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)
    """Files and services that are being put together, to find circles."""

    def file(self, name: str, home: str = "", variables: Lookup | None = None) -> Tree:
        """A file with what it includes, and its services with what they extend.

        Its paths start at `home`, and those of what comes of it at the main file's folder.
        `variables` are put in where the stack file would not have them.
        """
        tree = self._tree(name)
        if variables is not None:
            tree = tree.changed(lambda text: put_in(text, variables))
        tree = relocated(self._extended(tree, name), home)
        self.open.append(name)
        for entry in tree.entries["include"].items if "include" in tree.entries else ():
            try:
                tree = self._including(tree, entry, posixpath.dirname(name))
            except (OSError, ValueError) as error:
                self._lose(("include",), entry, _reason(error))
        self.open.pop()
        return tree.without("include")

    def _lose(self, path: Path, at: Tree, why: str) -> None:
        file = at.file if at.file != self.main else None
        self.lost.append(Note(at.line, path, f"not carried: {why}", file))

    def _tree(self, name: str) -> Tree:
        if name not in self.known:
            if len(self.known) >= MOST_FILES:
                raise ValueError(f"more than {MOST_FILES} files")
            try:
                data = self.read(name)
            except OSError as error:
                raise OSError(error.errno, error.strerror or "cannot be read", name) from None
            try:
                document = yamltext.parse(data, TAGS)
            except Malformed as error:
                raise BrokenFile(name, [error.problem]) from None
            if document.problems:
                raise BrokenFile(name, document.problems)
            self.known[name] = names_put_in(tree_of(document, name), self.lookup)
        return self.known[name]

    # Include

    def _including(self, tree: Tree, entry: Tree, folder: str) -> Tree:
        """A file with the resources of another in it; its own stay."""
        options = entry.plain()
        options = options if isinstance(options, dict) else {"path": options}
        paths = [str(path) for path in _several(options.get("path"))]
        if not paths or any("://" in path or path.startswith("git@") for path in paths):
            raise ValueError("only files of this machine are taken in")
        names = [_below(folder, Substitution(self.lookup)(path)) for path in paths]
        place = options.get("project_directory")
        home = _below(folder, str(place)) if place else posixpath.dirname(names[0])
        variables = self._variables(home, folder, options.get("env_file"))
        circle = next((name for name in names if name in self.open), None)
        if circle is not None:
            raise ValueError(f"{circle} includes itself")
        whole = self.file(names[0], home, variables)
        for other in names[1:]:
            whole = merged(whole, self.file(other, home, variables))
        return self._with(tree, whole)

    def _variables(self, home: str, folder: str, given: Any) -> Lookup | None:
        """The variables of an included file; None where it has none of its own."""
        names = [_below(folder, str(name)) for name in _several(given)]
        names = names or ([_below(home, ".env")] if home != folder else [])
        found: Lookup | None = None
        for name in names:
            try:
                data = self.read(name)
            except OSError:
                continue
            found = _over(self.lookup, data, found or self.lookup)
        return found

    def _with(self, tree: Tree, included: Tree) -> Tree:
        for section in SECTIONS:
            theirs = included.entries.get(section)
            if theirs is None or not theirs.entries:
                continue
            ours = tree.entries.get(section) or theirs.of({})
            for name in theirs.entries.keys() & ours.entries.keys():
                if theirs.entries[name].plain() != ours.entries[name].plain():
                    why = "it is defined here, too, and this one is taken"
                    self._lose((section, name), theirs.entries[name], why)
            both = ours.of({**theirs.entries, **ours.entries})
            tree = tree.of({**tree.entries, section: both})
        return tree

    # Extends

    def _extended(self, tree: Tree, name: str) -> Tree:
        services = tree.entries.get("services")
        if services is None or not services.entries:
            return tree
        found = {key: self._service(tree, name, key) for key in services.entries}
        return tree.of({**tree.entries, "services": services.of(found)})

    def _service(self, tree: Tree, file: str, name: str) -> Tree:
        """A service with what it extends below it."""
        service = tree.entries["services"].entries[name]
        extends = service.entries.get("extends")
        if extends is None:
            return service
        mine = service.without("extends")
        if extends.tag == RESET or extends.value is None:
            return mine
        here = f"{file}#{name}"
        if here in self.open:
            self._lose(("services", name, "extends"), extends, "it extends itself")
            return mine
        self.open.append(here)
        try:
            return merged(self._base(tree, file, extends), mine, ("services", name))
        except (OSError, ValueError) as error:
            self._lose(("services", name, "extends"), extends, _reason(error))
            return mine
        finally:
            self.open.pop()

    def _base(self, tree: Tree, file: str, extends: Tree) -> Tree:
        options = extends.plain()
        options = options if isinstance(options, dict) else {"service": options}
        wanted, other = str(options.get("service")), options.get("file")
        if other is None:
            return self._named(tree, file, wanted)
        folder = posixpath.dirname(file)
        name = _below(folder, Substitution(self.lookup)(str(other)))
        base = self._named(self._tree(name), name, wanted)
        # Both from the folder of the file that extends it.
        way = posixpath.relpath(posixpath.dirname(name) or ".", folder or ".")
        return moved_service(base, "" if way == "." else way)

    def _named(self, tree: Tree, file: str, name: str) -> Tree:
        services = tree.entries.get("services")
        if services is None or name not in services.entries:
            raise ValueError(f"there is no service {name} in {file}")
        return self._service(tree, file, name)


def _over(outer: Lookup, data: bytes, before: Lookup) -> Lookup:
    """The variables of a file, under those of `outer` and over those of `before`."""
    found = envfiles.parse(data, outer)

    def look(name: str) -> str | None:
        value = outer(name)
        value = found.get(name) if value is None else value
        return before(name) if value is None else value

    return look


def relocated(tree: Tree, folder: str) -> Tree:
    """A file's values for one in another folder; `folder` leads from there to its own."""
    if folder in ("", "."):
        return tree
    found = dict(tree.entries)
    if "services" in found:
        services = found["services"].entries.items()
        kept = {name: moved_service(service, folder) for name, service in services}
        found["services"] = found["services"].of(kept)
    for section in ("secrets", "configs"):
        if section in found:
            files = found[section].entries.items()
            found[section] = found[section].of({n: _moved_at(e, folder, "file") for n, e in files})
    return tree.of(found)


def moved_service(service: Tree, folder: str) -> Tree:
    """A service whose paths start in another folder; `folder` leads there."""
    if folder in ("", "."):
        return service
    return service.of(dict(_moved(service, folder)))


def _moved(service: Tree, folder: str) -> Iterator[tuple[str, Tree]]:
    for key, entry in service.entries.items():
        if key == "build":
            is_path = isinstance(entry.value, str)
            yield key, _path(entry, folder) if is_path else _moved_at(entry, folder, "context")
        elif key == "env_file":
            files = [
                _moved_at(file, folder, "path") if file.entries else _path(file, folder)
                for file in entry.items
            ]
            yield key, entry.of(files)
        elif key == "volumes":
            yield key, entry.of([_mount(mount, folder) for mount in entry.items])
        else:
            yield key, entry


def _moved_at(tree: Tree, folder: str, key: str) -> Tree:
    if key not in tree.entries:
        return tree
    return tree.of({**tree.entries, key: _path(tree.entries[key], folder)})


def _path(tree: Tree, folder: str) -> Tree:
    return tree.of(moved(tree.value, folder)) if isinstance(tree.value, str) else tree


def _mount(tree: Tree, folder: str) -> Tree:
    if isinstance(tree.value, str):
        return tree.of(moved_mount(tree.value, folder))
    is_bind = tree.entries.get("type") is not None and tree.entries["type"].value == "bind"
    return _moved_at(tree, folder, "source") if is_bind else tree


def _below(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder, path))


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.filename}: {(error.strerror or '').lower()}"
    return str(error)
