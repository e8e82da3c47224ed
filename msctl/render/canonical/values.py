"""Single values of a Compose document, as compose-go reads them.

Sizes are those of docker/go-units, durations those of xhit/go-str2duration.
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from msctl.render.canonical.confighash import float32_text
from msctl.shellwords import shell_words

_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9}
_UNITS |= {"m": 60 * 10**9, "h": 3600 * 10**9, "d": 24 * 3600 * 10**9, "w": 168 * 3600 * 10**9}
_DURATION = re.compile(r"(\d+\.?\d*|\.\d+)([^\d.]+)", re.ASCII)
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?(?:b|([kmgtp])(?:i?b)?)?", re.ASCII | re.IGNORECASE)
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_BOOLEANS = {"true": True, "y": True, "yes": True, "on": True}
_BOOLEANS |= {"false": False, "n": False, "no": False, "off": False}


def text(value: Any, at: str) -> str:
    if isinstance(value, bool | float):
        raise wrong(value, "a string", at)
    return _printed(value, at)


def _flag(value: Any, at: str) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _BOOLEANS:
        return _BOOLEANS[value.lower()]
    raise wrong(value, "true or false", at)


def number(value: Any, at: str) -> int:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value % 1 != 0:
        raise wrong(value, "a whole number", at)
    if not -(2**63) <= value < 2**63:
        raise wrong(value, "a number of 64 bits", at)
    return int(value)


def _real(value: Any, at: str) -> float:
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 3.4e38:
        raise wrong(value, "a number of 32 bits", at)
    return float(float32_text(value))


def _count(value: Any, at: str) -> int:
    return -1 if str(value).lower() == "all" else number(value, at)


def _bytes(value: Any, at: str) -> str:
    text = "" if isinstance(value, bool | float) else _printed(value, at)
    size = _SIZE.fullmatch(text)
    if size and not _INTEGER.fullmatch(text):
        scale = 1024 ** " kmgtp".index((size[2] or " ").lower())
        text = str(int(float(size[1]) * scale))
    if not _INTEGER.fullmatch(text) or not -(2**63) <= int(text) < 2**63:
        raise wrong(value, "a size such as 512m", at)
    return str(int(text))


def _duration(value: Any, at: str) -> str:
    text = str(value)
    unsigned = text[1:] if text[:1] in {"-", "+"} else text
    parts = _DURATION.findall(unsigned)
    known = all(unit in _UNITS for _, unit in parts)
    if unsigned != "0" and (not parts or not known or "".join(map("".join, parts)) != unsigned):
        raise wrong(value, "a duration such as 1m30s", at)
    total = 0
    for number, unit in parts:
        whole, _, fraction = number.partition(".")
        total += int(whole or 0) * _UNITS[unit]
        total += int(int(fraction or 0) * (_UNITS[unit] / 10.0 ** len(fraction)))
    if total >= 2**63:
        raise wrong(value, "a duration below 292 years", at)
    return ("-" if text.startswith("-") and total else "") + _go_duration(total)


def _go_duration(nanoseconds: int) -> str:
    for unit in ("ns", "µs", "ms"):
        if 0 < nanoseconds < 1000 * _UNITS[unit]:
            return f"{Decimal(nanoseconds) / _UNITS[unit]}{unit}"
    minutes, rest = divmod(nanoseconds, _UNITS["m"])
    hours, minutes = divmod(minutes, 60)
    seconds = format((Decimal(rest) / _UNITS["s"]).normalize(), "f") + "s"
    return (f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else "") + seconds


def _mode(value: Any, at: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"0{value:o}"
    if isinstance(value, str) and re.fullmatch("[0-7]+", value):
        return f"0{int(value, 8):o}"
    raise wrong(value, "a file mode", at)


def _command(value: Any, at: str) -> list[str]:
    if isinstance(value, str):
        try:
            return shell_words(value)
        except ValueError as error:
            raise wrong(value, f"a command: {error}", at) from None
    if isinstance(value, list | tuple) and all(isinstance(word, str) for word in value):
        return list(value)
    raise wrong(value, "a string or a list of strings", at)


def _test(value: Any, at: str) -> list[str]:
    return ["CMD-SHELL", value] if isinstance(value, str) else _command(value, at)


def _environment(value: Any, at: str) -> dict[str, str | None]:
    """A map, or a list of `key=value` and `key`; values as Go's fmt prints them."""
    if isinstance(value, list | tuple):
        words = [text(entry, at).partition("=") for entry in value]
        value = {key: text if equals else None for key, equals, text in words}
    entries = user_keys(value, at).items()
    return {k: None if e is None else _printed(e, f"{at}.{k}") for k, e in entries}


def _pairs(value: Any, at: str) -> dict[str, str]:
    return {key: text or "" for key, text in _environment(value, at).items()}


def _printed(value: Any, at: str) -> str:
    """A scalar as Go's fmt.Sprint prints what its YAML parser reads."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and math.isfinite(value):
        sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
        power = len(digits) - 1 + int(exponent)
        if value == 0 or -4 <= power < 6:
            return format(Decimal(repr(value)).normalize(), "f")
        mantissa = f"{'-' if sign else ''}{digits[0]}." + "".join(map(str, digits[1:]))
        return f"{mantissa.rstrip('.')}e{'-' if power < 0 else '+'}{abs(power):02d}"
    if isinstance(value, str) or (isinstance(value, int) and -(2**63) <= value < 2**64):
        return str(value)
    raise wrong(value, "a string, a boolean or a number of 64 bits", at)


def _hosts(value: Any, at: str) -> list[str]:
    """`host=address`, sorted; an address loses its brackets."""
    if isinstance(value, Mapping):
        entries = user_keys(value, at).items()
        pairs = [(host, e if isinstance(e, list | tuple) else (e or "",)) for host, e in entries]
    else:
        words = [text(entry, at) for entry in sequence(value, at)]
        split = [word.partition("=" if "=" in word else ":") for word in words]
        pairs = [(host, addresses.split(",")) for host, _, addresses in split]
        if not all(separator for _, separator, _ in split):
            raise wrong(value, "a list of host=address", at)
    if not all(host and addresses and not set(host) & set(":=") for host, addresses in pairs):
        raise wrong(value, "a map of plain host names to addresses", at)
    plain = [(host, re.sub(r"^\[(.+)\]$", r"\1", str(a))) for host, e in pairs for a in e]
    return sorted(f"{host}={address}" for host, address in plain)


def _build(value: Any, at: str) -> dict[str, Any]:
    if isinstance(value, str):
        return {"context": value}
    return copy.deepcopy(dict(mapping(value, at)))


def user_keys(value: Any, at: str) -> Mapping[str, Any]:
    for key in mapping(value, at):
        if key.startswith("x-"):
            raise ValueError(
                f"{at}.{key}: Compose takes a key that starts with x- for an extension"
            )
    return mapping(value, at)


def mapping(value: Any, at: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise wrong(value, "a map with strings as keys", at)
    return value


def sequence(value: Any, at: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise wrong(value, "a list", at)
    return list(value)


def wrong(value: Any, wanted: str, at: str) -> ValueError:
    return ValueError(f"{at}: {value!r} is not {wanted}")


SCALARS: dict[str, Callable[[Any, str], Any]] = {
    "build": _build,
    "bytes": _bytes,
    "command": _command,
    "count": _count,
    "duration": _duration,
    "environment": _environment,
    "flag": _flag,
    "hosts": _hosts,
    "mode": _mode,
    "number": number,
    "pairs": _pairs,
    "real": _real,
    "test": _test,
    "text": text,
}
