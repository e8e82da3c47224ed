"""Traefik's rules → hosts and paths. Source: Traefik 3.7, "Rules & Priority"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from msctl.fields import unroutable

_TOKEN = re.compile(r"\s*(?:(&&|\|\||[()!,])|(`[^`]*`|\"[^\"]*\")|([A-Za-z]+))")
_PATH = re.compile(r"/[^\s{}^$*|?\\]*|(?:[^\s{}^*|?\\]*\$\{[^}]*\}[^\s{}^*|?\\]*)+")


_ALIKE = ("host", "path", "pathprefix", "hostregexp", "pathregexp")
"""Matchers that take one of several arguments; of the others a second one is a value."""
_NEGATED = re.compile(r"!\s*Path(?:Prefix)?\(\s*[`\"]([^`\"]*)[`\"]\s*\)", re.IGNORECASE)
_LITERAL = re.compile(r"/[^\s{}^$*|?\\]*")
_LITERAL_OF_PATTERN = re.compile(r"/(?:[\w/-](?![?*{+]))*")


@dataclass(frozen=True)
class Match:
    """What one route matches; `exact` where Traefik would not match what lies below the path."""

    host: str | None = None
    path: str | None = None
    exact: bool = False


def matches(rule: str) -> tuple[Match, ...]:
    """The routes that a rule stands for, one for each alternative.

    Raises:
        ValueError: it matches by something else than hosts and paths; the message says by what.
    """
    tokens = _tokens(rule)
    found = _either(tokens)
    if tokens:
        raise ValueError(f"its rule goes on at {tokens[0]}")
    return tuple(dict.fromkeys(found))


def loosely(rule: str) -> tuple[Match, ...]:
    """Hosts and paths that a rule goes by, whatever else it asks for: what it takes, and maybe
    more. Nothing where it goes by neither."""
    try:
        found = _either(_tokens(rule), loose=True)
    except ValueError:
        return ()
    return tuple(match for match in dict.fromkeys(found) if match.host or match.path)


def negated(rule: str) -> tuple[str, ...]:
    """Paths that a rule leaves to others: `!PathPrefix(...)`."""
    return tuple(_NEGATED.findall(rule))


def met(one: Match, other: Match) -> Match | None:
    """What matches both; None: nothing does."""
    if one.host and other.host and one.host != other.host:
        return None
    host = one.host or other.host
    if one.path is None or other.path is None:
        narrow = other if one.path is None else one
        return Match(host, narrow.path, narrow.exact)
    short, long = sorted((one, other), key=lambda match: (len(match.path or ""), match.exact))
    if not (long.path or "").startswith(short.path or "") or (short.exact and one != other):
        return None
    return Match(host, long.path, long.exact)


def _tokens(rule: str) -> list[str]:
    tokens, at, end = [], 0, len(rule.rstrip())
    while at < end:
        token = _TOKEN.match(rule, at)
        if token is None:
            raise ValueError(f"its rule cannot be read at {rule[at : at + 20]!r}")
        tokens.append(token[1] or token[2] or token[3])
        at = token.end()
    return tokens


def _either(tokens: list[str], loose: bool = False) -> list[Match]:
    found = _both(tokens, loose)
    while tokens and tokens[0] == "||":
        tokens.pop(0)
        found = [*found, *_both(tokens, loose)]
    return found


def _both(tokens: list[str], loose: bool) -> list[Match]:
    found = _one(tokens, loose)
    while tokens and tokens[0] == "&&":
        tokens.pop(0)
        others = _one(tokens, loose)
        both = [met(one, other) for one in found for other in others]
        found = [match for match in both if match is not None]
    return found


def _one(tokens: list[str], loose: bool) -> list[Match]:
    if not tokens:
        raise ValueError("its rule ends too early")
    token = tokens.pop(0)
    if token == "(":
        found = _either(tokens, loose)
        if not tokens or tokens.pop(0) != ")":
            raise ValueError("a ) is missing in its rule")
        return found
    if token == "!" and loose:
        _one(tokens, loose)
        return [Match()]
    if token == "!":
        raise ValueError("a rule with ! has no place in the stack file")
    arguments = _arguments(token, tokens)
    if loose:
        several = arguments if token.lower() in _ALIKE else arguments[:1]
        return [_loose_match(token, argument) for argument in several]
    return [_match(token, argument) for argument in arguments]


def _arguments(name: str, tokens: list[str]) -> list[str]:
    if not tokens or tokens.pop(0) != "(":
        raise ValueError(f"a ( is missing behind {name} in its rule")
    found: list[str] = []
    while tokens:
        token = tokens.pop(0)
        if token == ")":
            return found
        if token != ",":
            found.append(token[1:-1])
    raise ValueError("a ) is missing in its rule")


def _match(name: str, argument: str) -> Match:
    kind = name.lower()
    if kind == "host":
        return Match(host=argument if "$" in argument else argument.lower())
    if kind not in ("pathprefix", "path"):
        raise ValueError(f"a rule with {name} has no place in the stack file")
    if not _PATH.fullmatch(argument):
        raise ValueError(f"the path {argument!r} has no place in the stack file")
    if "$" not in argument and (reason := unroutable(argument)):
        raise ValueError(f"the path {argument!r} matches no request: {reason}")
    return Match(path=argument, exact=kind == "path")


def _loose_match(name: str, argument: str) -> Match:
    """What a matcher goes by; of a pattern the part before anything that is one."""
    try:
        return _match(name, argument)
    except ValueError:
        kind, literal = name.lower(), ""
        if kind in ("path", "pathprefix") and (found := _LITERAL.match(argument)):
            literal = found[0]
        elif kind == "pathregexp" and "|" not in argument:
            literal = _literal(argument)
        return Match(path=literal) if len(literal) > 1 else Match()


def _literal(pattern: str) -> str:
    """How every path begins that a pattern from the start on takes."""
    if not pattern.startswith("^"):
        return ""
    found = _LITERAL_OF_PATTERN.match(pattern[1:])
    return "" if found is None else found[0]
