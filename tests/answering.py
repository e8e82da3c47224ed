"""What answers an HTTP client of msctl in place of the network: a handler of httpx's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import requests
from requests.adapters import BaseAdapter

Handler = Callable[[httpx.Request], httpx.Response]


class Answering(BaseAdapter):
    """Asks a handler."""

    def __init__(self, handler: Handler) -> None:
        super().__init__()
        self.handler = handler

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        asked = httpx.Request(
            str(request.method),
            str(request.url),
            headers=dict(request.headers),
            content=request.body,
        )
        try:
            answer = self.handler(asked)
        except httpx.TimeoutException as error:
            raise requests.ReadTimeout from error
        except httpx.TransportError as error:
            raise requests.ConnectionError from error
        found = requests.Response()
        found.status_code, found.reason = answer.status_code, answer.reason_phrase
        found.headers.update(answer.headers)
        found.url, found.request = str(request.url), request
        found._content = answer.content
        return found

    def close(self) -> None:
        """Nothing is open."""
