"""Durations, sizes, CPUs, rates and percentages."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated

import durationpy

from msctl.fields.checks import number, schema_of, whole
from msctl.records import Check, Shown, shown, wrong

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)(?: *(?:([kmgtp])(?:i?b)?|b))?", re.IGNORECASE | re.ASCII)
_UNITS = "bkmgtp"
_DURATION = re.compile(r"(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+|0")
_LONGEST_DURATION = timedelta(days=365)


def parse_duration(text: str) -> timedelta:
    """Go's form (`10s`, `1m30s`, `500ms`).

    Raises:
        ValueError: the text is no duration, or one of more than a year.
    """
    if not _DURATION.fullmatch(text):
        raise ValueError("not a duration")
    found: timedelta = durationpy.from_str(text)
    if found > _LONGEST_DURATION:
        raise ValueError("more than a year")
    return found


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if value == 0 and not isinstance(value, bool):
        return timedelta(0)
    try:
        return parse_duration(value if isinstance(value, str) else "")
    except ValueError:
        wrong(f"{shown(value)} is not a duration (such as 10s, 1m30s or 500ms; at most a year)")


def show_duration(value: timedelta) -> str:
    """`1m30s`, as Compose and Go write it."""
    if timedelta(0) < value < timedelta(seconds=1):
        milliseconds, micro = divmod(value.microseconds, 1000)
        return (f"{milliseconds}ms" if milliseconds else "") + (f"{micro}us" if micro else "")
    minutes, seconds = divmod(value.days * 86400 + value.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{value.microseconds:06}".rstrip("0") if value.microseconds else ""
    shown_seconds = f"{seconds}{fraction}s" if seconds or fraction else ""
    text = (f"{hours}h" if hours else "") + (f"{minutes}m" if minutes else "") + shown_seconds
    return text or "0s"


def parse_size(value: object) -> int:
    """Bytes of a size in Compose's form (`512M`, `1.5g`, `100kb`, `1024`): powers of 1024.

    Raises:
        ValueError: the value is no size.
    """
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    found = _SIZE.fullmatch(text) if isinstance(text, str) and len(text) < 40 else None
    if found is None:
        raise ValueError("not a size")
    amount, unit = found.groups()
    size = int(Decimal(amount) * 1024 ** _UNITS.index((unit or "b").lower()))
    if size >= 2**63:
        raise ValueError("not a size of this world")
    return size


def _size(value: object) -> int:
    try:
        return parse_size(value)
    except ValueError:
        wrong(f"{shown(value)} is not a size (such as 512M or 1G)")


def show_size(size: int) -> str:
    """`512M`: the largest unit that divides the size evenly."""
    for power in range(4, 0, -1):
        if size and size % 1024**power == 0:
            return f"{size // 1024**power}{_UNITS[power].upper()}"
    return str(size)


def _cpus(value: object) -> float:
    what = "a number of CPUs (such as 0.5; 0.01 to 1024)"
    found = number(value, what)
    if not 0.01 <= found <= 1024:
        wrong(f"{shown(value)} is not {what}")
    return float(found)


def _percentage(value: object) -> float:
    """`70%` as 70.0."""
    found = (
        re.fullmatch(r"([0-9]{1,4}(?:\.[0-9]{1,3})?)%", value) if isinstance(value, str) else None
    )
    if found is None or not 1 <= float(found[1]) <= 1000:
        wrong(f"{shown(value)} is not a percentage (1% to 1000%, such as 70%)")
    return float(found[1])


def _rate(value: object) -> float:
    what = "a number of requests a second (such as 50; 0.01 to 1000000)"
    found = number(value, what)
    if not 0.01 <= found <= 1_000_000:
        wrong(f"{shown(value)} is not {what}")
    return float(found)


def _surge(value: object) -> int | str:
    what = "a surge (a number from 1 to 1000, or 1% to 100%)"
    if isinstance(value, str) and (found := re.fullmatch(r"([0-9]{1,3})%", value)):
        if not 0 < int(found[1]) <= 100:
            wrong(f"{shown(value)} is not {what}")
        return f"{int(found[1])}%"
    return whole(value, what, 1, 1000)


Duration = Annotated[
    timedelta,
    Check(_duration),
    Shown(show_duration),
    schema_of(type="string", examples=["10s", "1m30s", "500ms"]),
]
Size = Annotated[
    int,
    Check(_size),
    Shown(show_size),
    schema_of(type=["string", "integer"], examples=["512M", "1G"]),
]
Cpus = Annotated[float, Check(_cpus), schema_of(type=["number", "string"])]
Surge = Annotated[
    int | str, Check(_surge), schema_of(type=["integer", "string"], examples=[1, "25%"])
]
Percentage = Annotated[
    float,
    Check(_percentage),
    Shown(lambda value: f"{value:g}%"),
    schema_of(type="string", examples=["70%"]),
]
Rate = Annotated[float, Check(_rate), schema_of(type=["number", "string"], examples=[50])]
