"""HTTP for the APIs of the gateway and of Prometheus: by requests, which the Docker SDK has loaded
already where most of them are asked; another library would cost as much again (150 M instructions).
"""

from __future__ import annotations

from collections.abc import Mapping

import requests
from requests.adapters import BaseAdapter

from msctl.deadline import within
from msctl.errors import reason

__all__ = ["Answer", "HttpClient", "NoAnswer"]

Answer = requests.Response


class NoAnswer(Exception):
    """Nobody answered, or not to the end; the message is the reason."""


class HttpClient:
    """Asks what answers at one URL, by no proxy. Not to be shared between threads.

    `timeout`: seconds for a whole answer, from the lookup of the name to the last byte, to which
    the timeouts of HTTP libraries do not apply. `adapter` answers in place of the network.
    """

    def __init__(self, url: str, timeout: float, adapter: BaseAdapter | None = None) -> None:
        self.url = url
        self._timeout = timeout
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy, no ~/.netrc
        if adapter is not None:
            for scheme in ("http://", "https://"):
                self._session.mount(scheme, adapter)

    def get(self, path: str, **parameters: int) -> Answer:
        """The answer, whatever its status.

        Raises:
            NoAnswer: there was none.
        """
        return self._ask("GET", path, parameters, None)

    def post(self, path: str, form: Mapping[str, str]) -> Answer:
        """The answer to a form, whatever its status.

        Raises:
            NoAnswer: there was none.
        """
        return self._ask("POST", path, {}, form)

    def close(self) -> None:
        self._session.close()

    def _ask(
        self, method: str, path: str, parameters: Mapping[str, int], form: Mapping[str, str] | None
    ) -> Answer:
        try:
            return within(
                self._timeout,
                lambda: self._session.request(
                    method,
                    self.url + path,
                    params=parameters,
                    data=form,
                    timeout=self._timeout,
                    allow_redirects=False,
                ),
            )
        except (requests.RequestException, TimeoutError) as error:
            raise NoAnswer(reason(error)) from error
