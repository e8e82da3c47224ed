"""What the gateway leads to a service, and whom it keeps where."""

from typing import Annotated, Literal

from msctl.fields import (
    CookieName,
    Flag,
    HostName,
    RoutePath,
    shown,
    whole,
    wrong,
)
from msctl.model.middlewares import (
    BasicAuthField,
    BodyLimitField,
    Headers,
    HeadersField,
    InFlightField,
    IpAllowField,
    RateLimitField,
    Retry,
    RetryField,
)
from msctl.records import Check, Record, Schema


class Route(Record):
    """A path (and host) that the gateway leads to a service."""

    path: RoutePath = "/"
    """Path prefix."""
    host: HostName | None = None
    """Host name; any when absent."""
    strip: Flag = False
    """Whether the prefix is taken off before the request is passed on."""
    priority: Annotated[
        int | None,
        Check(lambda v: v if v is None else _route_priority(v)),
        Schema({"type": ["integer", "string"], "minimum": 1}),
    ] = None
    """Which route wins where several match: the highest. Default: the length of the rule."""
    rate_limit: RateLimitField = None
    """Requests that each client address may send, per second; this and the following keys win over
    the service's, and off takes them away."""
    in_flight: InFlightField = None
    """Requests that each client address may have open."""
    headers: HeadersField = Headers()
    """Security headers."""
    ip_allow: IpAllowField = None
    """Addresses and ranges of clients that may come."""
    basic_auth: BasicAuthField = None
    """Users that may come, each with a password."""
    body_limit: BodyLimitField = None
    """Size of the largest request body."""
    retry: RetryField = Retry()
    """Requests that could not be sent."""


def _route_priority(value: object) -> int:
    return whole(value, "a priority (1 to 1000000)", 1, 1_000_000)


class Sticky(Record):
    """A cookie that keeps a client on its replica."""

    name: CookieName
    """The cookie's name."""
    secure: Flag = False
    http_only: Flag = False
    same_site: (
        Annotated[
            Literal["none", "lax", "strict"],
            Check(lambda value: _same_site(value)),
            Schema({"enum": ["none", "lax", "strict"]}),
        ]
        | None
    ) = None
    max_age: Annotated[
        int | None,
        Check(lambda v: v if v is None else _seconds(v)),
        Schema({"type": ["integer", "string"]}),
    ] = None
    """Seconds; a session cookie when absent."""


def _seconds(value: object) -> int:
    return whole(value, "a number of seconds (0 to 2147483647)", 0, 2**31 - 1)


def _same_site(value: object) -> str:
    word = value.lower() if isinstance(value, str) else value
    if word not in ("none", "lax", "strict"):
        wrong(f"{shown(value)} is not none, lax or strict")
    return str(word)
