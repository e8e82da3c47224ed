"""The config hash of a Compose service, computed without Docker Compose.

Docker Compose recreates a container whose label ``com.docker.compose.config-hash`` differs from the
hash of its service: the SHA-256 of Go's ``json.Marshal`` of the service, less what may change under
a running container (docker/compose, ``pkg/compose/hash.go``).
"""

from __future__ import annotations

import hashlib
import json
import math
import struct as binary
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from msctl.render.canonical.composetypes import SERVICE, Kind


def config_hash(service: Mapping[str, Any]) -> str:
    """The `com.docker.compose.config-hash`, in hex, of a service as `canonical` returns it.

    Raises ValueError for a key that is in no table, as its part of the hash is unknown.
    """
    return hashlib.sha256(config_json(service).encode()).hexdigest()


def config_json(service: Mapping[str, Any]) -> str:
    """The compact JSON that Compose hashes; it shows why two hashes differ."""
    return _json(service, SERVICE, "service")


def float32_text(value: float) -> str:
    """A number as Go's encoding/json writes a float32: the fewest digits that give it back."""
    if not math.isfinite(value):
        raise ValueError(f"{value!r} is not a number that JSON can hold")
    try:
        single = binary.pack("<f", value)
    except OverflowError:
        raise ValueError(f"{value!r} is out of the range of a 32-bit number") from None
    texts = (f"{binary.unpack('<f', single)[0]:.{digits}g}" for digits in range(1, 10))
    decimal = Decimal(next(text for text in texts if binary.pack("<f", float(text)) == single))
    if decimal == 0 or Decimal("1e-6") <= abs(decimal) < Decimal("1e21"):
        return format(decimal.normalize(), "f")
    return str(decimal.normalize()).lower()


def _json(value: Any, kind: Kind, at: str) -> str:
    if isinstance(value, Mapping) and kind.fields is not None:
        return _struct(value, kind.fields, at)
    if isinstance(value, Mapping):
        of = kind.of or kind
        entries = (_text(key) + ":" + _json(value[key], of, f"{at}.{key}") for key in sorted(value))
        return "{" + ",".join(entries) + "}"
    if isinstance(value, list | tuple):
        of = kind.of or kind
        return "[" + ",".join(_json(e, of, f"{at}[{n}]") for n, e in enumerate(value)) + "]"
    if kind.reads == "ulimit" and value == 0:
        return "{}"  # a single limit of 0 is, to Go, a struct without limits
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool | int) or kind.reads == "real":
        return float32_text(value) if kind.reads == "real" else json.dumps(value)
    raise ValueError(f"{at}: {value!r} is not in canonical form")


def _struct(value: Mapping[str, Any], fields: Mapping[str, Kind], at: str) -> str:
    for key in value:
        if key not in fields and not key.startswith("x-"):
            raise ValueError(f"{at}.{key}: the config hash does not cover this key")
    written = []
    for key, kind in fields.items():
        entry = value.get(key)
        if entry is None and kind.absent is not None:
            written.append(f'"{key}":{kind.absent}')
        elif entry is not None and kind.hashed and entry not in kind.zeros:
            written.append(f'"{key}":{_json(entry, kind, f"{at}.{key}")}')
    return "{" + ",".join(written) + "}"


def _text(value: str) -> str:
    text = json.dumps(value, ensure_ascii=False)
    for character in "&<>\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
