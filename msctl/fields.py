"""The scalar types of the stack file: how each is written, checked and shown.

Every check raises a `PydanticCustomError` whose message names the value found and what is
allowed; `msctl.config` adds file, line and path.
"""

from __future__ import annotations

import ipaddress
import math
import re
import shlex
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, NoReturn

import durationpy
from pydantic import BeforeValidator, PlainSerializer, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)(?: *(?:([kmgtp])(?:i?b)?|b))?", re.IGNORECASE | re.ASCII)
_UNITS = "bkmgtp"
_IMAGE = re.compile(
    r"(?:[a-zA-Z0-9][a-zA-Z0-9.-]*(?::[0-9]+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*"
    r"(?::[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_LARGEST = 2**53
_DURATION = re.compile(r"(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+|0")
_LONGEST_DURATION = timedelta(days=365)
NAME_RULE = r"[a-z0-9][a-z0-9_-]{0,62}"
_PATH = re.compile(r"/[A-Za-z0-9._~!&'*+,;=:@%/-]*")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*")

_HTTP_URL = re.compile(
    r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~%/-]*)?"
)


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
    if isinstance(value, int) and value.bit_length() > 64:
        return "a huge number"
    text = value if isinstance(value, str) and re.fullmatch(r"[\w./:%@-]+", value) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def is_raw(value: object, info: ValidationInfo) -> bool:
    """Whether a value keeps its `${VAR}` on the way to the rendered file."""
    return isinstance(value, str) and "$" in value and bool((info.context or {}).get("keep"))


def number(value: object, what: str) -> float:
    """A number, also when it came out of a `${VAR}` as text."""
    found = float(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value
    if isinstance(found, bool) or not isinstance(found, int | float):
        wrong(f"{shown(value)} is not {what}")
    if not -_LARGEST <= found <= _LARGEST:  # neither infinite nor NaN
        wrong(f"{shown(value)} is not {what}")
    return found


def whole(value: object, what: str, low: int, high: int | None = None) -> int:
    """A whole number within bounds."""
    found = number(value, what)
    if found != int(found) or found < low or (high is not None and found > high):
        wrong(f"{shown(value)} is not {what}")
    return int(found)


def _port(value: object) -> int:
    return whole(value, "a port (1-65535)", 1, 65535)


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
    if isinstance(value, str):
        try:
            return parse_duration(value)
        except ValueError:
            pass  # fall through to the one message for every bad duration
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


def _boolean(value: object) -> bool:
    """`true` and `false`, also out of a `${VAR}`, and YAML 1.1's other spellings."""
    words = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    wrong(f"{shown(value)} is not true or false")


def check_text(value: object) -> str:
    """Text; of a number and of a boolean what Compose makes of them (`1.10` is 1.1)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() <= 64:
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return _as_go_prints(value)
    if not isinstance(value, str):
        wrong(f"{shown(value)} is not text")
    if "\x00" in value:
        wrong(f"{shown(value)} holds a NUL character")
    return value


def _as_go_prints(number: float) -> str:
    """A float as Go's `%v` writes it: that is what a container gets from Compose."""
    exact = Decimal(repr(number)).normalize()
    exponent = exact.adjusted() if exact else 0
    if -4 <= exponent < 6:
        return format(exact, "f")
    return f"{exact.scaleb(-exponent):f}e{exponent:+03d}"


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
    if value is False or value in ("off", "false", "no"):
        return None
    allowed = "a port to publish ([HOST:]PORT with PORT 1-65535, or off)"
    if isinstance(value, bool) or not isinstance(value, int | str):
        wrong(f"{shown(value)} is not {allowed}")
    text = value if isinstance(value, str) else check_text(value)
    host, colon, port = text.rpartition(":")
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        wrong(f"{shown(value)} is not {allowed}")
    if not colon:
        return str(int(port))
    host = "127.0.0.1" if host == "localhost" else host
    if not _is_address(host):
        wrong(f"{shown(value)} is not {allowed}; HOST is an IP address, an IPv6 one in [ ]")
    return f"{host}:{int(port)}"


def _is_address(text: str) -> bool:
    """Whether this is an IPv4 address, or an IPv6 address in brackets."""
    bracketed = text.startswith("[") and text.endswith("]")
    try:
        return ipaddress.ip_address(text.strip("[]")).version == (6 if bracketed else 4)
    except ValueError:
        return False


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


def _command(value: object, info: ValidationInfo) -> str | tuple[str, ...]:
    """Words, or one line that is split as a shell would."""
    if isinstance(value, list | tuple):
        return tuple(check_text(word) for word in value)
    line = check_text(value)
    if not is_raw(line, info):
        try:
            shlex.split(line)
        except ValueError as error:
            wrong(f"{shown(line)} is not a command line: {str(error).lower()}")
    return line


def _environment(value: object) -> dict[str, str | None]:
    """A mapping, or a list of `NAME=value`; a name alone takes its value from the environment."""
    if isinstance(value, list | tuple):
        value = _listed(value)
    if not isinstance(value, dict):
        wrong(f"{shown(value)} is not a mapping of names to values")
    for name in value:
        if not isinstance(name, str) or not re.fullmatch(r"[^=\x00\s]+", name):
            wrong(f"{shown(name)} is not the name of a variable")
    return {name: None if item is None else check_text(item) for name, item in value.items()}


def _listed(entries: Sequence[object]) -> dict[str, str | None]:
    """The mapping that a list of `NAME=value` stands for."""
    found: dict[str, str | None] = {}
    for entry in entries:
        name, equals, content = check_text(entry).partition("=")
        if name in found:
            wrong(f"{shown(name)} is given twice")
        found[name] = content if equals else None
    return found


def _labels(value: object) -> dict[str, str]:
    if isinstance(value, list | tuple):
        value = _listed(value)
    if not isinstance(value, dict):
        wrong(f"{shown(value)} is not a mapping of labels to values")
    for name in value:
        if not isinstance(name, str) or not name or "\x00" in name:
            wrong(f"{shown(name)} is not the name of a label")
        if name.startswith(("com.docker.compose.", "dev.msctl.")):
            wrong(f"{shown(name)} is a label that msctl sets itself")
    return {name: "" if item is None else check_text(item) for name, item in value.items()}


def one_or_many(value: object) -> object:
    """A single value where a list is meant."""
    return value if isinstance(value, list | tuple) else [value]


def names(value: object) -> object:
    """A list of names, or a single one; Compose's mapping of names is told apart."""
    if isinstance(value, dict):
        example = shown(next(iter(value), "name"))
        wrong(f"a mapping is not a list of names; write [{example}]")
    return one_or_many(value)


def _host_name(value: object) -> str:
    check = matching(_HOST, "a host name (such as www.example.org)")
    return check(value.lower() if isinstance(value, str) else value)


def is_http_url(text: str) -> bool:
    """Whether this is the address of an HTTP API: no user, query or fragment in it."""
    return _HTTP_URL.fullmatch(text) is not None and 0 < (_port_of(text) or 1) < 65536


def _port_of(url: str) -> int | None:
    found = re.search(r":([0-9]+)(?:/|$)", url)
    return int(found[1]) if found else None


def _http_url(value: object, info: ValidationInfo) -> str:
    if is_raw(value, info):
        return str(value)
    if not isinstance(value, str) or not is_http_url(value):
        wrong(f"{shown(value)} is not a URL (such as http://127.0.0.1:9090)")
    return value.rstrip("/")


def _file_path(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or "\x00" in value:
        wrong(f"{shown(value)} is not the path of a file or folder")
    return value


def _schema(**schema: Any) -> WithJsonSchema:
    return WithJsonSchema(schema)


_SCALAR = ["string", "number", "boolean"]

Text = Annotated[str, BeforeValidator(check_text), _schema(type=_SCALAR)]
FilePath = Annotated[str, BeforeValidator(_file_path), _schema(type="string")]
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
Percentage = Annotated[
    float,
    BeforeValidator(_percentage),
    PlainSerializer(lambda value: f"{value:g}%"),
    _schema(type="string", examples=["70%"]),
]
Rate = Annotated[float, BeforeValidator(_rate), _schema(type=["number", "string"], examples=[50])]
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
check_name = matching(NAME_RULE, "a name (lower-case letters, digits, - and _; at most 63)")
Name = Annotated[str, BeforeValidator(check_name), _schema(type="string", pattern=f"^{NAME_RULE}$")]
check_project = matching(
    r"[a-z0-9][a-z0-9_-]*",
    "a project name (lower-case letters, digits, - and _, first a letter or digit)",
)
ProjectName = Annotated[
    str, BeforeValidator(check_project), _schema(type="string", pattern="^[a-z0-9][a-z0-9_-]*$")
]
RoutePath = Annotated[
    str,
    BeforeValidator(matching(_PATH, "a path (it starts with / and holds URL characters)")),
    _schema(type="string", pattern="^/"),
]
HostName = Annotated[
    str,
    BeforeValidator(_host_name),
    _schema(type="string"),
]
HttpUrl = Annotated[
    str,
    BeforeValidator(_http_url),
    _schema(type="string", examples=["http://127.0.0.1:9090"]),
]
CookieName = Annotated[
    str,
    BeforeValidator(matching(r"[A-Za-z0-9_.-]{1,128}", "a cookie name (letters, digits, _ . -)")),
    _schema(type="string"),
]
