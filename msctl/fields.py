"""The scalar types of the stack file: how each is written, checked and shown.

Every check raises a `PydanticCustomError` whose message names the value found and what is
allowed; `msctl.config` adds file, line and path.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, NoReturn

import durationpy
from pydantic import BeforeValidator, PlainSerializer, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgtp]?)(?:i?b)?", re.IGNORECASE)
_UNITS = "bkmgtp"
_IMAGE = re.compile(
    r"(?:[a-zA-Z0-9][a-zA-Z0-9.-]*(?::\d+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*"
    r"(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)
_PATH = re.compile(r"/[A-Za-z0-9._~!&'*+,;=:@%/-]*")
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,62})(\.[a-z0-9][a-z0-9-]{0,62})*")


def wrong(message: str) -> NoReturn:
    """Refuse a value: `message` says what was found and what is allowed."""
    # Braces would be read as fields of a template.
    raise PydanticCustomError("msctl", "{text}", {"text": message})


def shown(value: object) -> str:
    """A value as an error message quotes it: one line, short, no control characters."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value if isinstance(value, str) and re.fullmatch(r"[\w./:%@-]+", value) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def is_raw(value: object, info: ValidationInfo) -> bool:
    """Whether a value keeps its `${VAR}` on the way to the rendered file."""
    return isinstance(value, str) and "$" in value and bool((info.context or {}).get("keep"))


def number(value: object, what: str) -> float:
    """A number, also when it came out of a `${VAR}` as text."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            wrong(f"{shown(value)} is not {what}")
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        wrong(f"{shown(value)} is not {what}")
    return value


def whole(value: object, what: str, low: int, high: int | None = None) -> int:
    found = number(value, what)
    if found != int(found) or found < low or (high is not None and found > high):
        wrong(f"{shown(value)} is not {what}")
    return int(found)


def _port(value: object) -> int:
    return whole(value, "a port (1-65535)", 1, 65535)


def parse_duration(text: str) -> timedelta:
    """Go's form (`10s`, `1m30s`, `500ms`).

    Raises:
        ValueError: the text is no duration, or a negative one.
    """
    try:
        found = durationpy.from_str(text)
    except durationpy.DurationError as error:
        raise ValueError(str(error)) from error
    if found < timedelta(0):
        raise ValueError("negative")
    return found


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str) and re.fullmatch(r"[\d.hmsuµn]+", value):
        try:
            return parse_duration(value)
        except ValueError:
            pass  # fall through to the one message for every bad duration
    wrong(f"{shown(value)} is not a duration (such as 10s, 1m30s or 500ms)")


def show_duration(value: timedelta) -> str:
    """`1m30s`, as Compose and Go write it."""
    return str(durationpy.to_str(value)) if value else "0s"


def parse_size(value: object) -> int:
    """Bytes of a size in Compose's form (`512M`, `1.5g`, `100kb`, `1024`): powers of 1024.

    Raises:
        ValueError: the value is no size.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError("not a size")
    amount, unit = found.groups()
    return int(float(amount) * 1024 ** _UNITS.index(unit.lower() or "b"))


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
    found = number(value, "a number of CPUs (such as 0.5)")
    if not 0 < found <= 1024:
        wrong(f"{shown(value)} is not a number of CPUs (such as 0.5)")
    return float(found)


def _boolean(value: object) -> bool:
    """`true` and `false`, also out of a `${VAR}`, and YAML 1.1's other spellings."""
    words = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    wrong(f"{shown(value)} is not true or false")


def _text(value: object) -> str:
    """Text; numbers and booleans are taken as they are written, as Compose does."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if not isinstance(value, str):
        wrong(f"{shown(value)} is not text")
    if "\x00" in value:
        wrong(f"{shown(value)} holds a NUL character")
    return value


def matching(pattern: re.Pattern[str] | str, what: str) -> Callable[[object], str]:
    """A check that the whole of a text matches a pattern."""
    compiled = re.compile(pattern)

    def check(value: object) -> str:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            wrong(f"{shown(value)} is not {what}")
        return value

    return check


def _image(value: object, info: ValidationInfo) -> str:
    if is_raw(value, info):
        return str(value)
    check = matching(_IMAGE, "an image reference (such as postgres:15 or registry:5000/team/app:1)")
    return check(value)


def _publish(value: object) -> str | None:
    """`[HOST:]PORT` or off: normalised to `HOST:PORT`, `PORT` or None."""
    if value is False or value == "off":
        return None
    allowed = "a port to publish ([HOST:]PORT with PORT 1-65535, or off)"
    if isinstance(value, bool) or not isinstance(value, int | str):
        wrong(f"{shown(value)} is not {allowed}")
    host, _, port = str(value).rpartition(":")
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        wrong(f"{shown(value)} is not {allowed}")
    if host and not re.fullmatch(r"\d{1,3}(\.\d{1,3}){3}|\[[0-9a-fA-F:]+\]|localhost", host):
        wrong(f"{shown(value)} is not {allowed}; HOST is an IP address")
    host = "127.0.0.1" if host == "localhost" else host
    return f"{host}:{int(port)}" if host else str(int(port))


def _surge(value: object) -> int | str:
    if isinstance(value, str) and (found := re.fullmatch(r"(\d{1,3})%", value)):
        if not 0 < int(found[1]) <= 100:
            wrong(f"{shown(value)} is not a surge (a number from 1, or 1% to 100%)")
        return value
    return whole(value, "a surge (a number from 1, or 1% to 100%)", 1)


def _command(value: object) -> str | tuple[str, ...]:
    if isinstance(value, list | tuple):
        return tuple(_text(word) for word in value)
    return _text(value)


def _environment(value: object) -> dict[str, str | None]:
    """A mapping, or a list of `NAME=value`; a name alone takes its value from the environment."""
    if isinstance(value, list):
        pairs = [_text(entry).partition("=") for entry in value]
        value = {name: content if equals else None for name, equals, content in pairs}
    if not isinstance(value, dict):
        wrong(f"{shown(value)} is not a mapping of names to values")
    for name in value:
        if not isinstance(name, str) or not re.fullmatch(r"[^=\x00\s]+", name):
            wrong(f"{shown(name)} is not the name of a variable")
    return {name: None if item is None else _text(item) for name, item in value.items()}


def _labels(value: object) -> dict[str, str]:
    if isinstance(value, list):
        pairs = [_text(entry).partition("=") for entry in value]
        value = {name: content for name, _, content in pairs}
    if not isinstance(value, dict):
        wrong(f"{shown(value)} is not a mapping of labels to values")
    for name in value:
        if str(name).startswith(("com.docker.compose.", "dev.msctl.")):
            wrong(f"{shown(name)} is a label that msctl sets itself")
    return {_text(name): "" if item is None else _text(item) for name, item in value.items()}


def one_or_many(value: object) -> object:
    """A single value where a list is meant."""
    return value if isinstance(value, list | tuple) else [value]


def _schema(**schema: Any) -> WithJsonSchema:
    return WithJsonSchema(schema)


_SCALAR = ["string", "number", "boolean"]
_NAME_RULE = r"[a-z0-9][a-z0-9_-]{0,62}"

Text = Annotated[str, BeforeValidator(_text), _schema(type=_SCALAR)]
Flag = Annotated[bool, BeforeValidator(_boolean), _schema(type=["boolean", "string"])]
Port = Annotated[
    int, BeforeValidator(_port), _schema(type=["integer", "string"], minimum=1, maximum=65535)
]
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(show_duration),
    _schema(type="string", examples=["10s", "1m30s", "500ms"]),
]
Size = Annotated[
    int,
    BeforeValidator(_size),
    PlainSerializer(show_size),
    _schema(type=["string", "integer"], examples=["512M", "1G"]),
]
Cpus = Annotated[float, BeforeValidator(_cpus), _schema(type=["number", "string"])]
Image = Annotated[str, BeforeValidator(_image), _schema(type="string", examples=["postgres:15"])]
Publish = Annotated[
    str | None,
    BeforeValidator(_publish),
    _schema(type=["integer", "string", "boolean"], examples=[80, "127.0.0.1:8080", "off"]),
]
Surge = Annotated[
    int | str, BeforeValidator(_surge), _schema(type=["integer", "string"], examples=[1, "25%"])
]
Command = Annotated[
    str | tuple[str, ...],
    BeforeValidator(_command),
    _schema(anyOf=[{"type": "string"}, {"type": "array", "items": {"type": _SCALAR}}]),
]
_MAP_OR_LIST: dict[str, Any] = {
    "anyOf": [
        {"type": "object", "additionalProperties": {"type": [*_SCALAR, "null"]}},
        {"type": "array", "items": {"type": "string"}},
    ]
}
Environment = Annotated[
    dict[str, str | None], BeforeValidator(_environment), _schema(**_MAP_OR_LIST)
]
Labels = Annotated[dict[str, str], BeforeValidator(_labels), _schema(**_MAP_OR_LIST)]
Name = Annotated[
    str,
    BeforeValidator(
        matching(_NAME_RULE, "a name (lower-case letters, digits, - and _; at most 63)")
    ),
    _schema(type="string", pattern=f"^{_NAME_RULE}$"),
]
RoutePath = Annotated[
    str,
    BeforeValidator(matching(_PATH, "a path (it starts with / and holds URL characters)")),
    _schema(type="string", pattern="^/"),
]
HostName = Annotated[
    str,
    BeforeValidator(matching(_HOST, "a host name (such as www.example.org)")),
    _schema(type="string"),
]
CookieName = Annotated[
    str,
    BeforeValidator(matching(r"[A-Za-z0-9_.-]{1,128}", "a cookie name (letters, digits, _ . -)")),
    _schema(type="string"),
]
