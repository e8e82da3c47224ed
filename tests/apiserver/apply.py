"""Server-side apply: who owns which field, and who is in the way.

https://kubernetes.io/docs/reference/using-api/server-side-apply/. Lists whose items have a name are
merged by it; other lists are one value.
"""

from __future__ import annotations

import copy
import json
from typing import Any

Data = dict[str, Any]
Path = tuple[str, ...]
Owned = dict[tuple[str, str], set[Path]]
"""Fields by manager and operation (Apply or Update)."""
_MERGED = {
    "containers": "name", "initContainers": "name", "env": "name", "volumes": "name",
    "volumeMounts": "mountPath", "ports": "name",
}  # fmt: skip
_FREE = ("apiVersion", "kind", "status")
_META = ("labels", "annotations")


def leaves(value: Any, path: Path = ()) -> dict[Path, Any]:
    """Every field that a document sets, and its value."""
    if isinstance(value, dict) and value:
        found: dict[Path, Any] = {}
        for key, item in value.items():
            if not path and key in _FREE:
                continue
            if path == ("metadata",) and key not in _META:
                continue
            found |= leaves(item, (*path, key))
        return found
    if key := _key_of(path, value):
        found = {}
        for item in value:
            found |= leaves(item, (*path, json.dumps({key: item[key]})))
        return found
    return {path: value}


def _key_of(path: Path, value: Any) -> str | None:
    key = _MERGED.get(path[-1]) if path else None
    if key is None or not isinstance(value, list) or not value:
        return None
    return key if all(isinstance(item, dict) and key in item for item in value) else None


def merged(live: Any, given: Any, path: Path = ()) -> Any:
    """A document with what another one sets."""
    if isinstance(live, dict) and isinstance(given, dict):
        found = dict(live)
        for key, item in given.items():
            found[key] = merged(live[key], item, (*path, key)) if key in live else item
        return found
    key = _key_of(path, given)
    if key is not None and isinstance(live, list):
        news = {item[key]: item for item in given}
        olds = {item.get(key): item for item in live}
        kept = [merged(item, news.get(item.get(key), {}), ()) for item in live]
        return kept + [item for name, item in news.items() if name not in olds]
    return given


def without(document: Any, path: Path) -> None:
    """Remove one field, and what becomes empty by it."""
    head, *rest = path
    if isinstance(document, list):
        [(key, name)] = json.loads(head).items()
        item = next((i for i in document if i.get(key) == name), None)
        if item is None:
            return
        if rest:
            without(item, tuple(rest))
        if not rest or set(item) == {key}:
            document.remove(item)
        return
    if not isinstance(document, dict) or head not in document:
        return
    if not rest:
        del document[head]
        return
    without(document[head], tuple(rest))
    if document[head] in ({}, []) and head not in ("metadata", "spec"):
        del document[head]


def owned(thing: Data) -> Owned:
    found: Owned = {}
    for entry in thing["metadata"].get("managedFields", ()):
        paths = {tuple(path) for path in entry["paths"]}
        found[entry["manager"], entry["operation"]] = paths
    return found


def managed(owners: Owned) -> list[Data]:
    """As `managedFields` shows it; `paths` is for the next application."""
    return [
        {
            "manager": manager,
            "operation": operation,
            "fieldsType": "FieldsV1",
            "fieldsV1": _tree(paths),
            "paths": sorted(map(list, paths)),
        }
        for (manager, operation), paths in sorted(owners.items())
        if paths
    ]


def _tree(paths: set[Path]) -> Data:
    found: Data = {}
    for path in sorted(paths):
        inner = found
        for part in path:
            inner = inner.setdefault(f"k:{part}" if part.startswith("{") else f"f:{part}", {})
    return found


def conflicts(live: Data, given: Data, me: tuple[str, str]) -> list[tuple[str, Path]]:
    """The fields that others own with another value, each with its owner."""
    have = leaves(live)
    return [
        (owner[0], path)
        for path, value in leaves(given).items()
        for owner, paths in owned(live).items()
        if owner != me and path in paths and have.get(path) != value
    ]


def applied(live: Data | None, given: Data, manager: str) -> Data:
    """What comes of an application; conflicts have been looked at."""
    me = (manager, "Apply")
    mine = leaves(given)
    if live is None:
        found = copy.deepcopy(given)
        found["metadata"]["managedFields"] = managed({me: set(mine)})
        return found
    owners, have = owned(live), leaves(live)
    found = copy.deepcopy(live)
    for path in owners.get(me, set()) - mine.keys():
        if not any(path in paths for owner, paths in owners.items() if owner != me):
            without(found, path)
    found = merged(found, copy.deepcopy(given))
    for owner, paths in owners.items():
        if owner != me:
            paths -= {path for path in paths if path in mine and have.get(path) != mine[path]}
    owners[me] = set(mine)
    found["metadata"]["managedFields"] = managed(owners)
    return found


def patched(live: Data, patch: Data, manager: str) -> Data:
    """What comes of a merge patch: its author takes the fields that it changes."""
    found = copy.deepcopy(live)
    _merge_patch(found, patch)
    have, now, owners = leaves(live), leaves(found), owned(live)
    changed = {path for path, value in now.items() if have.get(path) != value}
    for paths in owners.values():
        paths -= changed
    owners.setdefault((manager, "Update"), set()).update(changed)
    found["metadata"]["managedFields"] = managed(owners)
    return found


def _merge_patch(document: Data, patch: Data) -> None:
    """RFC 7386."""
    for key, value in patch.items():
        if value is None:
            document.pop(key, None)
        elif isinstance(value, dict):
            inner = document.setdefault(key, {})
            _merge_patch(inner, value)
        else:
            document[key] = value
