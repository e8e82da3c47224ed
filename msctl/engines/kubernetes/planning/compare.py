"""What applying an object would change, as lines `spec.replicas: 2 → 3`. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msctl.engines.kubernetes.kinds import Data

_BOOKKEEPING = (
    "managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink",
)  # fmt: skip
_LONGEST = 80
_SECRET = ("data", "stringData")
_NOTHING = object()


def changes(live: Data | None, result: Data) -> tuple[str, ...]:
    """The fields that differ; a Secret's values are never shown. None for what is not there yet."""
    if live is None:
        return ()
    hidden = result.get("kind") == "Secret"
    return tuple(_lines("", _content(live), _content(result), hidden=hidden))


def differs(live: Data | None, result: Data) -> bool:
    return live is None or _content(live) != _content(result)


def _content(thing: Data) -> dict[str, Any]:
    """Without what the server writes about it."""
    meta = {k: v for k, v in thing["metadata"].items() if k not in _BOOKKEEPING}
    return {**{k: v for k, v in thing.items() if k != "status"}, "metadata": meta}


def _lines(path: str, before: object, after: object, *, hidden: bool) -> Iterator[str]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys([*before, *after]):
            inner = f"{path}.{key}" if path else str(key)
            values = before.get(key, _NOTHING), after.get(key, _NOTHING)
            yield from _lines(inner, *values, hidden=hidden)
        return
    if _are_named(before) and _are_named(after):
        olds, news = _by_name(before), _by_name(after)
        for name in dict.fromkeys([*olds, *news]):
            values = olds.get(name, _NOTHING), news.get(name, _NOTHING)
            yield from _lines(f"{path}[{name}]", *values, hidden=hidden)
        return
    if hidden and path.partition(".")[0] in _SECRET:
        yield f"{path}: (secret, changed)"
        return
    yield f"{path}: {_shown(before)} → {_shown(after)}"


def _are_named(value: object) -> bool:
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and bool(value)
        and all(isinstance(item, Mapping) and "name" in item for item in value)
    )


def _by_name(items: Any) -> dict[str, object]:
    return {str(item["name"]): item for item in items}


def _shown(value: object) -> str:
    if value is _NOTHING:
        return "(nothing)"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
