"""What the gateway does to requests before a service gets them, for each service or route.

A route's own key wins over its service's; `off` takes it away. A key that is not there is as its
service has it; `headers` and `retry` are on unless they are off.
"""

from datetime import timedelta
from typing import Annotated, Any, Literal

from msctl.fields import (
    AddressRange,
    Duration,
    HeaderMap,
    HeaderValue,
    Name,
    Size,
    names,
    one_or_many,
    show_duration,
    shown,
    whole,
    wrong,
)
from msctl.records import Check, Record, Schema, key

_MOST = 1_000_000
_TEXT_OR_OFF = Schema({"type": ["string", "boolean"]})
_WHOLE = Schema({"type": ["integer", "string"], "minimum": 1})


def is_off(value: object) -> bool:
    """YAML reads a bare `off` as false; a variable's comes as text."""
    return value is False or value == "off"


def _whole_number(what: str, high: int = _MOST) -> Check:
    return Check(lambda value: whole(value, f"{what} (1 to {high})", 1, high))


def _switched(record: type[Record], key: str | None = None) -> Check:
    """`off` for a record; `on` for its defaults; with `key`, a bare value stands for that key."""

    def expand(value: object) -> object:
        if is_off(value):
            return None
        if key is None:
            return {} if value is True or value == "on" else value
        bare = isinstance(value, str | int | float) and not isinstance(value, bool)
        return {key: value} if bare else value

    short: Any = Literal["off", "on", False, True] if key is None else Literal["off", False] | int
    return Check(expand, accepts=short | str | record)


def _or_off(value: object) -> object:
    return None if is_off(value) else value


class RateLimit(Record):
    """How many requests each client address may send; what is more gets 429.

    Counted by the gateway's memory, which forgets where its configuration changes.
    """

    average: Annotated[int, _whole_number("a number of requests"), _WHOLE]
    """Requests in each period, in the long run."""
    burst: Annotated[int, _whole_number("a number of requests"), _WHOLE] | None = None
    """Requests at once; default: the average."""
    period: Duration = timedelta(seconds=1)
    """Time that the average is meant for."""

    def agree(self) -> None:
        if not timedelta(milliseconds=1) <= self.period <= timedelta(hours=24):
            wrong(f"period {show_duration(self.period)} is not between 1ms and 24h")


class Headers(Record):
    """Headers of the answers that make browsers careful; those of the service are overwritten."""

    frame: Annotated[
        Literal["deny", "sameorigin"] | None,
        Check(lambda value: _frame(value)),
        Schema({"enum": ["deny", "sameorigin", "off", False]}),
    ] = "deny"
    """Who may show the pages in a frame (X-Frame-Options): deny, sameorigin or off."""
    referrer: Annotated[HeaderValue | None, Check(_or_off), _TEXT_OR_OFF] = (
        "strict-origin-when-cross-origin"
    )
    """Referrer-Policy, or off."""
    csp: HeaderValue | None = None
    """Content-Security-Policy."""
    permissions: HeaderValue | None = None
    """Permissions-Policy."""
    hsts: Annotated[Duration | None, Check(_or_off), _TEXT_OR_OFF] = timedelta(days=365)
    """For how long browsers shall come by HTTPS only (Strict-Transport-Security), or off; not
    sent with a self-signed certificate."""
    response: HeaderMap = key(factory=dict)
    """More headers of answers, by name; an empty value takes a header away."""


def _frame(value: object) -> object:
    if is_off(value):
        return None
    if value not in ("deny", "sameorigin"):
        wrong(f"{shown(value)} is not deny, sameorigin or off")
    return value


class Retry(Record):
    """How often a request is sent that could not be sent to a replica which has just died.

    Traefik retries only while nothing of the request has been written, so that it is safe for
    POST too; what the application answers is never retried.
    """

    attempts: Annotated[int, _whole_number("a number of attempts", 10), _WHOLE] = 3
    """Attempts in all; under 300 requests/s, 3 save all but those that were inside the replicas
    that died."""
    interval: Duration = timedelta(milliseconds=50)
    """Time before the second attempt; it grows with each."""


def _some(what: str) -> Check:
    def check(value: object) -> object:
        if isinstance(value, list | tuple) and not value:
            wrong(f"an empty list of {what}; name at least one, or write off")
        return value

    return Check(check)


RateLimitField = Annotated[RateLimit | None, _switched(RateLimit, "average")]
InFlightField = Annotated[
    int | None,
    Check(lambda v: None if is_off(v) else whole(v, "a number of requests", 1, _MOST)),
    Schema({"type": ["integer", "string", "boolean"], "minimum": 1}),
]
HeadersField = Annotated[Headers | None, _switched(Headers)]
_SOME_OR_OFF: dict[str, Any] = {
    "anyOf": [
        {"type": "array", "items": {"type": "string"}, "minItems": 1},
        {"type": "string"},
        {"enum": [False]},
    ]
}
IpAllowField = Annotated[
    tuple[AddressRange, ...] | None,
    Check(lambda value: None if is_off(value) else one_or_many(value)),
    _some("addresses"),
    Schema(_SOME_OR_OFF),
]
BasicAuthField = Annotated[
    tuple[Name, ...] | None,
    Check(lambda value: None if is_off(value) else names(value)),
    _some("users"),
    Schema(_SOME_OR_OFF),
]
BodyLimitField = Annotated[
    Size | None,
    Check(_or_off),
    Schema({"type": ["string", "integer", "boolean"], "examples": ["10M"]}),
]
RetryField = Annotated[Retry | None, _switched(Retry, "attempts")]
