"""HTTP for the APIs of the gateway and of Prometheus: by Python's own client, which the engine's
socket takes already; requests would cost as much again three times over (290 M instructions more).
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote, urlencode, urlsplit

from msctl.deadline import within
from msctl.errors import reason

if TYPE_CHECKING:
    from email.message import Message

    Headers = Message[str, str] | Mapping[str, str]

__all__ = ["Answer", "Ask", "HttpClient", "NoAnswer"]

_PLAIN = "/%!$&'()*+,;=:@~?"
"""What stays as it is in the path of a URL."""


class NoAnswer(Exception):
    """Nobody answered, or not to the end; the message is the reason."""


class Answer(NamedTuple):
    """A whole answer."""

    status: int
    reason: str
    headers: Headers
    """By name, in any case."""
    content: bytes

    def json(self) -> Any:
        """Raises:
        ValueError: it is no JSON.
        """
        return json.loads(self.content)


Ask = Callable[[str, str, bytes | None, Mapping[str, str]], Answer]
"""Method, URL, content and headers → the answer."""


class HttpClient:
    """Asks what answers at one URL, by no proxy. Not to be shared between threads.

    `timeout`: seconds for a whole answer, from the lookup of the name to the last byte, to which
    the timeouts of HTTP libraries do not apply. `ask` answers in place of the network.
    """

    def __init__(self, url: str, timeout: float, ask: Ask | None = None) -> None:
        self.url = url
        self._timeout = timeout
        self._ask_it = ask or self._over_the_network
        self._connection: HTTPConnection | None = None

    def get(self, path: str, **parameters: int) -> Answer:
        """The answer, whatever its status.

        Raises:
            NoAnswer: there was none.
        """
        return self._ask("GET", f"{path}?{urlencode(parameters)}" if parameters else path)

    def post(self, path: str, form: Mapping[str, str]) -> Answer:
        """The answer to a form, whatever its status.

        Raises:
            NoAnswer: there was none.
        """
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("POST", path, urlencode(form).encode(), kind)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        url = self.url + path
        try:
            return within(self._timeout, lambda: self._ask_it(method, url, content, headers or {}))
        except (OSError, HTTPException, ValueError) as error:
            self._connection = None  # it may still be at it
            raise NoAnswer(reason(error)) from error

    def _over_the_network(
        self, method: str, url: str, content: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        parts = urlsplit(url)
        target = quote(parts.path or "/", _PLAIN) + (f"?{parts.query}" if parts.query else "")
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            basic = b64encode(pair.encode()).decode()
            headers = {**headers, "Authorization": f"Basic {basic}"}
        kept = self._connection
        connection = self._connection = kept or _connection(url, self._timeout)
        try:
            try:
                found = _exchange(connection, method, target, content, headers)
            except ConnectionError:
                if kept is None:
                    raise
                connection.close()  # the other side had hung up meanwhile
                found = _exchange(connection, method, target, content, headers)
        except BaseException:
            connection.close()
            raise
        if self._connection is not connection:  # it was given up, or closed
            connection.close()
        return found


def _exchange(
    connection: HTTPConnection,
    method: str,
    target: str,
    content: bytes | None,
    headers: Mapping[str, str],
) -> Answer:
    connection.request(method, target, content, headers)
    with connection.getresponse() as answer:
        return Answer(answer.status, answer.reason, answer.headers, answer.read())


def _connection(url: str, timeout: float) -> HTTPConnection:
    parts = urlsplit(url)
    if parts.scheme != "https":
        return HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    import ssl

    import certifi

    trusted = ssl.create_default_context()
    trusted.load_verify_locations(certifi.where())
    return HTTPSConnection(parts.hostname or "", parts.port, timeout=timeout, context=trusted)
