"""HTTP clients for the APIs of the gateway and of Prometheus; the only module that imports httpx,
which takes others long: its command line brings rich along (50 ms), a client the authorities that
one of plain HTTP has no use for (35 ms)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

_modules: dict[str, Any] = sys.modules
_modules.setdefault("httpx._main", None)  # httpx goes on without its command line

import httpx  # noqa: E402

from msctl.lookup import is_answered  # noqa: E402

__all__ = ["client", "httpx"]


def client(url: str, timeout: float, transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """Asks what answers at this URL, by no proxy. Not to be shared between threads."""
    return httpx.Client(
        base_url=url,
        timeout=timeout,
        trust_env=False,
        verify=url.startswith("https:"),
        transport=transport,
        event_hooks={"request": [] if transport else [_found_within(timeout)]},
    )


def _found_within(seconds: float) -> Callable[[httpx.Request], None]:
    """Counts the lookup of a name into the time, which the client's own timeout does not."""

    def check(request: httpx.Request) -> None:
        host = request.url.host
        if not is_answered(host, seconds):
            raise httpx.ConnectTimeout(f"{host} was not found in {seconds:g} s", request=request)

    return check
