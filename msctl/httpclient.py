"""HTTP clients for the APIs of the gateway and of Prometheus; the only module that imports httpx,
which takes others long: its command line brings rich along (50 ms), a client the authorities that
one of plain HTTP has no use for (35 ms)."""

from __future__ import annotations

import sys
from typing import Any

_modules: dict[str, Any] = sys.modules
_modules.setdefault("httpx._main", None)  # httpx goes on without its command line

import httpx  # noqa: E402

from msctl.deadline import within  # noqa: E402

__all__ = ["client", "httpx"]


class _Client(httpx.Client):
    """A client that gives an answer up which is not there as a whole when its time is over."""

    seconds = 0.0

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """As httpx's."""
        whole = super().send
        try:
            return within(self.seconds, lambda: whole(request, **options))
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error), request=request) from None


def client(url: str, timeout: float, transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """Asks what answers at this URL, by no proxy; `timeout` is that of a whole answer, in seconds.
    Not to be shared between threads."""
    found = _Client(
        base_url=url,
        timeout=timeout,
        trust_env=False,
        verify=url.startswith("https:"),
        transport=transport,
    )
    found.seconds = timeout
    return found
