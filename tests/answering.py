"""What answers an HTTP client of msctl in place of the network: a handler of httpx's."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import httpx

from msctl.httpclient import Answer

Handler = Callable[[httpx.Request], httpx.Response]


class Answering:
    """Asks a handler."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    def __call__(
        self, method: str, url: str, content: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        asked = httpx.Request(method, url, headers=dict(headers), content=content)
        try:
            answer = self.handler(asked)
        except httpx.TimeoutException as error:
            raise TimeoutError from error
        except httpx.TransportError as error:
            raise ConnectionError from error
        return Answer(answer.status_code, answer.reason_phrase, answer.headers, answer.content)
