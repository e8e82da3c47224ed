"""Traefik's middlewares → the keys of a route: `msctl.render.traefik.middlewares` the other way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from msctl.importing.routes.labels import Labels, Part
from msctl.importing.source import Source

KEYS = {
    "headers": "headers", "ipallowlist": "ip_allow", "ipwhitelist": "ip_allow",
    "ratelimit": "rate_limit", "inflightreq": "in_flight", "basicauth": "basic_auth",
    "buffering": "body_limit", "retry": "retry",
}  # fmt: skip
"""The stack file's key of each kind of Traefik's."""
_STRIP = ("stripprefix",)
_GUARDS = (
    "forwardauth", "digestauth", "plugin", "passtlsclientcert", "addprefix", "replacepath",
    "replacepathregex",
)  # fmt: skip
"""What may keep somebody out, of some paths at least, and has no place in the stack file."""
_SHUT_KEYS = ("ip_allow", "basic_auth")
"""The stack file's keys that keep somebody out; of two in a chain both would have to hold."""
_READ = {
    "ratelimit": {"average", "burst", "period"},
    "inflightreq": {"amount"},
    "ipallowlist": {"sourcerange"},
    "ipwhitelist": {"sourcerange"},
    "buffering": {"maxrequestbodybytes"},
    "retry": {"attempts", "initialinterval"},
    "basicauth": {"users"},
}
"""Of each kind, the options that come into the stack file; `headers` tells by itself."""
_YEAR = 365 * 24 * 3600
_HIDDEN = {"Server": "", "X-Powered-By": ""}
"""What msctl's own security headers take away."""


@dataclass(frozen=True)
class Chain:
    """What a router sends its requests through."""

    parts: tuple[Part, ...]
    lost: tuple[str, ...]
    """Middlewares that are not in the file, or that the stack file cannot have, and that may keep
    somebody out."""


def chain_of(source: Source, labels: Labels, router: Part, before: Sequence[str] = ()) -> Chain:
    """A router's middlewares, chains opened, behind those `before` that its entry points have."""
    found: list[Part] = []
    options = source.resolved(router.options.get("tls.options", "default"))
    lost = [] if options.startswith("default") else [f"tls.options={options}"]
    todo = [*before, *router.listed("middlewares")]
    seen: set[str] = set()
    while todo:
        reference = source.resolved(todo.pop(0))
        name, _, provider = reference.partition("@")
        part = labels.middlewares.get(name) if provider in ("", "docker") else None
        if part is None or part.kind in _GUARDS or _by_other_addresses(part):
            lost.append(reference)
        elif part.kind == "chain":
            todo = [*(part.listed("chain.middlewares") if name not in seen else []), *todo]
            seen.add(name)
        elif _second(part, found) or (part.kind == "basicauth" and not users_of(part)):
            lost.append(reference)
        else:
            found.append(part)
    return Chain(tuple(found), tuple(lost))


def _second(part: Part, before: Iterable[Part]) -> bool:
    """Whether it keeps out others than one before it, and both would have to hold."""
    key = KEYS.get(part.kind)
    return key in _SHUT_KEYS and any(
        KEYS.get(one.kind) == key and one is not part for one in before
    )


def _by_other_addresses(part: Part) -> bool:
    """Whether it goes by what a header says of the client's address."""
    by_header = any("ipstrategy" in option for option in part.options)
    return by_header and KEYS.get(part.kind) == "ip_allow"


def shuts(chain: Chain) -> bool:
    """Whether it may keep somebody out."""
    return bool(chain.lost) or any(KEYS.get(part.kind) in _SHUT_KEYS for part in chain.parts)


def note_unused(source: Source, labels: Labels, guards: Iterable[str]) -> None:
    """Name the middlewares that nothing goes through."""
    listed = [*guards]
    for router in labels.routers.values():
        listed += router.listed("middlewares")
    for part in labels.middlewares.values():
        listed += part.listed("chain.middlewares")
    used = {source.resolved(reference).partition("@")[0] for reference in listed}
    for part in labels.middlewares.values():
        if part.name not in used:
            source.not_carried(part.place, f"no router has the middleware {part.name}")


def users_of(part: Part) -> list[str]:
    """Those whom a `basicauth` lets in, as far as the file says who they are."""
    named = [entry.partition(":")[0] for entry in part.listed("basicauth.users")]
    return [user.lower() for user in named if user and "$" not in user]


def redirects(chain: Sequence[Part]) -> bool:
    """Whether a router with these only leads to HTTPS, which the gateway does itself."""
    return any(_leads_to_https(part) for part in chain)


def _leads_to_https(part: Part) -> bool:
    if part.kind == "redirectregex":
        return (part.setting("replacement") or "").startswith("https://")
    return part.kind == "redirectscheme" and (part.setting("scheme") or "https") == "https"


def prefixes(chain: Sequence[Part]) -> list[str]:
    """The prefixes that are stripped."""
    return [p for part in chain if part.kind in _STRIP for p in part.listed("stripprefix.prefixes")]


def keys_of(source: Source, chain: Sequence[Part], sts: bool) -> dict[str, tuple[str, Any]]:
    """The stack file's keys for a chain: each with the middleware's name and the value.

    `sts`: whether msctl would send Strict-Transport-Security, so that its absence says something.
    """
    found: dict[str, tuple[str, Any]] = {}
    for part in _headers_as_one(chain):
        if part.kind in _STRIP or (part.kind == "redirectscheme" and _leads_to_https(part)):
            continue
        key = KEYS.get(part.kind)
        value = None if key is None else _VALUES[key](source, part, sts)
        if key is None or value is None:
            source.not_carried(part.place, f"{part.kind} has no place in the stack file")
        elif found.setdefault(key, (part.name, value)) != (part.name, value):
            first = found[key][0]
            source.not_carried(part.place, f"a route has one {key}, and {first} comes first")
        _note_options(source, part)
    return found


def _headers_as_one(chain: Sequence[Part]) -> list[Part]:
    """The chain with what several `headers` say in the first of them, which wins."""
    several = [part for part in chain if part.kind == "headers"]
    if len(several) < 2:
        return list(chain)
    first, *others = several
    whole = Part("+".join(part.name for part in several), first.owner)
    for part in reversed(several):
        whole.options |= part.options
        whole.spelled |= part.spelled
        whole.places |= part.places
    return [whole if part is first else part for part in chain if part not in others]


def _note_options(source: Source, part: Part) -> None:
    """Name what is said of a middleware beyond what the stack file has."""
    for option in part.options if part.kind in _READ and not source.own else ():
        if option.partition(".")[2] not in _READ[part.kind]:
            source.not_carried(part.places[option], f"{option} has no place in the stack file")


def _number(text: str | None) -> int | str | None:
    return int(text) if text and text.isdecimal() else text


def _rate_limit(_: Source, part: Part, __: bool) -> Any:
    found = {name: _number(part.setting(name)) for name in ("average", "burst", "period")}
    kept = {name: value for name, value in found.items() if value}
    if kept.get("period") == "1s":
        del kept["period"]
    if kept.get("burst") == kept.get("average") and "burst" in kept:
        del kept["burst"]
    elif "average" in kept and "burst" not in kept:
        kept["burst"] = 1  # Traefik's default
    return kept if "average" in kept else None


def _in_flight(_: Source, part: Part, __: bool) -> Any:
    return _number(part.setting("amount"))


def _ip_allow(_: Source, part: Part, __: bool) -> Any:
    return part.listed(f"{part.kind}.sourcerange") or None


def _body_limit(_: Source, part: Part, __: bool) -> Any:
    return _number(part.setting("maxrequestbodybytes"))


def _retry(_: Source, part: Part, __: bool) -> Any:
    attempts, interval = _number(part.setting("attempts")), part.setting("initialinterval")
    if attempts == 3 and interval == "50ms":
        return True
    return {"attempts": attempts, **({"interval": interval} if interval else {})}


def _basic_auth(source: Source, part: Part, _: bool) -> Any:
    users = users_of(part)
    told = ", ".join(users)
    message = f"passwords are msctl's own; the first `up` makes and shows those of {told}"
    source.note(part.place, message)
    return users


def _headers(source: Source, part: Part, sts: bool) -> Any:
    options = {name.partition(".")[2]: text for name, text in part.options.items()}
    spelled = {name.partition(".")[2]: text for name, text in part.spelled.items()}
    found: dict[str, Any] = {}
    deny = options.pop("framedeny", "").lower() == "true"
    frame = options.pop("customframeoptionsvalue", "")
    if frame.lower() == "sameorigin":
        found["frame"] = "sameorigin"
    elif not deny:
        found["frame"] = "off"
    referrer = options.pop("referrerpolicy", None)
    if referrer != "strict-origin-when-cross-origin":
        found["referrer"] = referrer or "off"
    for name, key in (("contentsecuritypolicy", "csp"), ("permissionspolicy", "permissions")):
        if text := options.pop(name, None):
            found[key] = text
    seconds = options.pop("stsseconds", None)
    if sts and not seconds:
        found["hsts"] = "off"
    elif seconds and seconds.isdecimal() and int(seconds) > _YEAR:
        source.note(part.places["headers.stsseconds"], f"{seconds} s; it is a year now")
    elif seconds and seconds != str(_YEAR):
        found["hsts"] = f"{seconds}s" if seconds.isdecimal() else seconds
    options.pop("contenttypenosniff", None)
    response = {}
    for option in [name for name in options if name.startswith("customresponseheaders.")]:
        response[spelled[option].rpartition(".")[2]] = options.pop(option)
    if response := {k: v for k, v in response.items() if _HIDDEN.get(k) != v}:
        found["response"] = response
    for option in options:
        place = part.places[f"headers.{option}"]
        source.not_carried(place, f"{spelled[option]} has no place in the stack file")
    return found or True


_VALUES: dict[str, Any] = {
    "headers": _headers,
    "ip_allow": _ip_allow,
    "rate_limit": _rate_limit,
    "in_flight": _in_flight,
    "basic_auth": _basic_auth,
    "body_limit": _body_limit,
    "retry": _retry,
}
