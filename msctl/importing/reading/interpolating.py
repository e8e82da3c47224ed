"""Variables that have to have their values before files are put together."""

from __future__ import annotations

import re
from dataclasses import replace

from msctl.config.variables import Lookup, Substitution, VariableProblem
from msctl.importing.reading.trees import Tree

_LISTS_OF_NAMES = {"labels", "environment", "annotations"}
_NAME = re.compile(r"(?:\$\{[^}]*\}|[^=])*")
"""Of `NAME=value`, where a default may hold a `=`."""


def names_put_in(tree: Tree, lookup: Lookup) -> Tree:
    """A file's services with their labels' names as they are: what the variables in them stand for
    says which label it is."""
    services = tree.entries.get("services")
    if services is None or not services.entries:
        return tree
    found = {name: _labels_put_in(one, lookup) for name, one in services.entries.items()}
    return replace(tree, value={**tree.entries, "services": replace(services, value=found)})


def _labels_put_in(service: Tree, lookup: Lookup) -> Tree:
    found = dict(service.entries)
    for key in found.keys() & _LISTS_OF_NAMES:
        if isinstance(found[key].value, list):
            value = [_name_put_in(entry, lookup) for entry in found[key].value]
            found[key] = replace(found[key], value=value)
    return replace(service, value=found) if found else service


def _name_put_in(entry: Tree, lookup: Lookup) -> Tree:
    name = _NAME.match(entry.value) if isinstance(entry.value, str) else None
    if name is None or "$" not in name[0]:
        return entry
    return replace(entry, value=put_in(name[0], lookup) + entry.value[name.end() :])


def put_in(text: str, lookup: Lookup) -> str:
    """A text with its variables put in, where all have values."""
    try:
        return Substitution(lookup)(text).replace("$", "$$")
    except VariableProblem:
        return text
