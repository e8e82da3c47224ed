"""Cross-origin answers: each service gives its own, the gateway adds none.

Source: https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from __future__ import annotations

from aiohttp import web


def is_preflight(request: web.Request) -> bool:
    """Whether a browser asks what it may do, before it does it."""
    return (
        request.method == "OPTIONS"
        and "Origin" in request.headers
        and "Access-Control-Request-Method" in request.headers
    )


def headers(request: web.Request, origins: frozenset[str]) -> dict[str, str]:
    """What the answer says about other origins; nothing for one that is not allowed."""
    if not origins:
        return {}
    vary = {} if "*" in origins else {"Vary": "Origin"}
    origin = request.headers.get("Origin")
    if origin is None or not ("*" in origins or origin in origins):
        return vary
    answer = {
        "Access-Control-Allow-Origin": "*" if "*" in origins else origin,
        "Access-Control-Expose-Headers": "X-Replica",
        **vary,
    }
    if "*" not in origins:
        answer["Access-Control-Allow-Credentials"] = "true"
    if is_preflight(request):
        answer["Access-Control-Allow-Methods"] = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
        answer["Access-Control-Max-Age"] = "600"
        asked = request.headers.get("Access-Control-Request-Headers")
        if asked:
            answer["Access-Control-Allow-Headers"] = asked
    return answer
