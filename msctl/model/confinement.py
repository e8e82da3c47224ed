"""What a container may do, and how much of it: the types of the keys that say so.

A key that the file gives stands in the place of the default; only `cap_add`, without `cap_drop`,
adds to it (see `msctl.render.confinement`).
"""

import re
from collections.abc import Callable
from typing import Annotated, Literal

from msctl.fields import check_text, is_raw, names, no_controls, one_or_many, shown, whole, wrong
from msctl.records import Check, Record, Schema, key

NO_NEW_PRIVILEGES = "no-new-privileges:true"
PIDS_LIMIT = 2048
"""Processes and threads: enough for a Java server on a large machine, too few for a fork bomb."""
MOST_PIDS = 4_194_304
"""Processes that Linux can count."""
_CAPABILITY = re.compile(r"ALL|(?:CAP_)?[A-Z][A-Z_]{1,40}")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,63})?")
_SECURITY_OPTION = re.compile(r"[a-z][a-z-]{1,40}(?:[:=][^\s\x00-\x1f]{1,4096})?")
_TMPFS = re.compile(r"/[^:\s\x00-\x1f\x7f]{1,4095}(?::[A-Za-z0-9=,_%.:-]{1,200})?")


def _written(pattern: re.Pattern[str], what: str) -> Check:
    """A text of a form; one that keeps its `${VAR}` is looked at when it has its value."""

    def check(value: object, keep: bool) -> str:
        text = check_text(value)
        if not is_raw(value, keep) and not pattern.fullmatch(text):
            wrong(f"{shown(text)} is not {what}")
        return text

    return Check(check, keeps=True)


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) and "$" not in value else value


def _number_or_off(what: str, high: int) -> Callable[[object, bool], object]:
    def check(value: object, keep: bool) -> object:
        if value is False or value in ("off", -1, "-1"):
            return None
        return value if is_raw(value, keep) else whole(value, f"{what}, or off", 1, high)

    return check


class Logging(Record):
    """Where the engine keeps what a container writes."""

    driver: (
        Annotated[
            str,
            _written(re.compile(r"[A-Za-z0-9][A-Za-z0-9_./:-]{0,127}"), "the name of a driver"),
            Schema({"type": "string"}),
        ]
        | None
    ) = None
    """The engine's logging driver; default: the engine's own."""
    options: Annotated[
        dict[str, str],
        Check(lambda value: _options(value)),
        Schema(
            {
                "type": "object",
                "additionalProperties": {"type": ["string", "number", "boolean"]},
            }
        ),
    ] = key(factory=dict)
    """The driver's options."""


def _options(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        wrong(f"{shown(value)} is not a mapping of options to values")
    for name in value:
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", name):
            wrong(f"{shown(name)} is not the name of an option")
    return {name: no_controls(check_text(item)) for name, item in value.items()}


LOGGING = Logging(driver="json-file", options={"max-size": "10m", "max-file": "3"})
"""Else the engine keeps all that a container ever wrote."""
_TEXTS = Schema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
Capabilities = Annotated[
    tuple[
        Annotated[str, Check(_upper), _written(_CAPABILITY, "a capability (such as NET_RAW)")],
        ...,
    ],
    Check(names),
    _TEXTS,
]
SecurityOptions = Annotated[
    tuple[
        Annotated[
            str, _written(_SECURITY_OPTION, "a security option (such as no-new-privileges:true)")
        ],
        ...,
    ],
    Check(names),
    _TEXTS,
]
Tmpfs = Annotated[
    tuple[
        Annotated[
            str, _written(_TMPFS, "a folder of the container in memory (/PATH or /PATH:OPTIONS)")
        ],
        ...,
    ],
    Check(one_or_many),
    _TEXTS,
]
User = Annotated[
    str,
    _written(_USER, "a user of the container (NAME or UID, or with a group: 1000:1000)"),
    Schema({"type": ["string", "integer"]}),
]
PidsLimit = Annotated[
    int | str | None,
    Check(_number_or_off(f"a number of processes (1-{MOST_PIDS})", MOST_PIDS), keeps=True),
    Schema({"type": ["integer", "string", "boolean"], "minimum": -1}),
]
LoggingField = Annotated[
    Logging | None,
    Check(
        lambda value: None if value is False or value == "off" else value,
        accepts=Literal["off", False] | Logging,
    ),
]
