"""Calls to a Kubernetes API server.

Paths and plain data in, plain data out; every request has a deadline, and a refusal is an error of
msctl's.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from msctl.deadline import told_when_late, within
from msctl.engines.kubernetes.api.faults import OVERLOADED, SERVER_ERROR, refusal
from msctl.engines.kubernetes.api.kubeconfig import configuration
from msctl.engines.kubernetes.api.lines import Lines
from msctl.engines.kubernetes.api.sdk import ApiClient, ApiException, ConfigException, HTTPError
from msctl.engines.kubernetes.kubectl import kubectl
from msctl.errors import EngineUnreachable, reason

CONNECT_TIMEOUT, READ_TIMEOUT = 5.0, 30.0
"""Seconds until a connection is there, and between two bytes of an answer."""
LATE = 3
"""Seconds without a first answer after which that is told."""
ANSWER_TIMEOUT = 90.0
"""Seconds for a whole answer, however steadily it trickles; an API server gives itself 60."""
MOST_BYTES = 256 << 20
"""Of an answer: more than any page or log has."""
TRIES, LONGEST_PAUSE = 5, 10.0
"""How often a server is asked that says when to come again, and seconds between two tries."""
LINES_TIMEOUT = 3600.0
"""Seconds for which a container that is listened to may be silent."""
_AT_ONCE = 1 << 16
"""Bytes that are read at once."""
APPLY, MERGE = "application/apply-patch+yaml", "application/merge-patch+json"


class Client:
    """Calls to one API server; may be used by several threads."""

    def __init__(
        self,
        environ: Mapping[str, str],
        context: str | None = None,
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`warn` tells whoever waits for the cluster."""
        self.context, self.namespace, settings = configuration(environ, context)
        settings.retries = False
        self.address: str = settings.host
        self._api = ApiClient(configuration=settings)
        self._warn = warn
        self._greeted = False
        """Whether it has answered, or that it is late has been told."""

    @property
    def kubectl(self) -> str:
        """How `kubectl` is told to ask the same cluster."""
        return kubectl(self.context)

    def get(self, path: str, **query: str) -> dict[str, Any]:
        return self.call("GET", path, query)

    def items(self, path: str, **query: str) -> list[dict[str, Any]]:
        """All items, whatever the size of a page."""
        found: list[dict[str, Any]] = []
        while True:
            page = self.get(path, limit="500", **query)
            found += page.get("items") or ()
            token = (page.get("metadata") or {}).get("continue")
            if not token:
                return found
            query["continue"] = token

    def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
        content: str | None = None,
    ) -> dict[str, Any]:
        """One call.

        Raises:
            Refused: the server refused it.
            EngineUnreachable: it did not answer, or does not know us.
        """
        with self._faults():
            text = self._read(method, path, query, body, content).decode()
        found = json.loads(text) if text else {}
        return found if isinstance(found, dict) else {}

    def text(self, path: str, query: Mapping[str, str]) -> str:
        """An answer that is text, such as a log."""
        with self._faults():
            answer = self._read("GET", path, query)
        return answer.decode(errors="replace")

    def lines(self, path: str, query: Mapping[str, str]) -> Lines:
        """The lines of an answer that goes on; another thread may close it."""
        with self._faults():
            answer = self._send("GET", path, query, None, None, LINES_TIMEOUT)
        return Lines(answer.response)

    def _read(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: object = None,
        content: str | None = None,
    ) -> bytes:
        answer = self._send(method, path, query, body, content, READ_TIMEOUT)
        return within(ANSWER_TIMEOUT, lambda: _whole(answer))

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: object,
        content: str | None,
        patience: float,
    ) -> Any:
        """An answer whose body has not been read yet."""
        headers = {"Accept": "application/json, */*"}
        if content is not None:
            headers["Content-Type"] = content
        request = self._api.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params=headers,
            body=body,  # which the client writes as JSON, for every type of patch
            auth_settings=["BearerToken"],
        )
        for last in (*[False] * (TRIES - 1), True):
            limits = CONNECT_TIMEOUT, patience
            with self._awaited():
                answer = within(
                    ANSWER_TIMEOUT,
                    lambda: self._api.call_api(*request, _request_timeout=limits),  # noqa: B023
                )
            if 200 <= answer.status < 300:
                return answer
            text = within(ANSWER_TIMEOUT, lambda: _whole(answer)).decode(errors="replace")  # noqa: B023
            pause = _pause(answer)
            if last or pause is None:
                break
            time.sleep(pause)
        raise refusal(
            answer.status,
            text,
            address=self.address,
            context=self.context,
            kubectl=self.kubectl,
        )

    @contextmanager
    def _awaited(self) -> Iterator[None]:
        if self._greeted:
            yield
            return
        with told_when_late(LATE, self._tell_late):
            yield
        self._greeted = True

    def _tell_late(self) -> None:
        if not self._greeted:  # by a call beside this one
            self._greeted = True
            self._warn(
                f"the Kubernetes API at {self.address} has not answered for {LATE} s; msctl waits "
                f"up to {READ_TIMEOUT:g} s"
            )

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except (HTTPError, ApiException, OSError) as error:
            raise EngineUnreachable(
                f"no Kubernetes API answers at {self.address}: {reason(error)}",
                hint=f"{self.kubectl} cluster-info tells whether the cluster is there; "
                "--context chooses another one",
            ) from error
        except ConfigException as error:  # the command that gives a token has failed
            raise EngineUnreachable(
                f"no credentials for {self.address}: {error}",
                hint=f"see that {self.kubectl} get namespaces works, and repeat the command",
            ) from error


def _whole(answer: Any) -> bytes:
    """Raises:
    OSError: it is larger than any that is meant.
    """
    parts, size = [], 0
    try:
        for part in answer.response.stream(_AT_ONCE):
            parts.append(part)
            size += len(part)
            if size > MOST_BYTES:
                raise OSError(f"an answer of more than {MOST_BYTES >> 20} MiB")
    finally:
        answer.response.close() if size > MOST_BYTES else answer.response.release_conn()
    return b"".join(parts)


def _pause(answer: Any) -> float | None:
    """Seconds after which an overloaded server wants to be asked again; None: it does not say so.

    As the API's own clients have it: all that msctl asks may be asked twice.
    """
    after = answer.getheader("Retry-After") or ""
    if (answer.status != OVERLOADED and answer.status < SERVER_ERROR) or not after.isdecimal():
        return None
    return min(float(after), LONGEST_PAUSE)
