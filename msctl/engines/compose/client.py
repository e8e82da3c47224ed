"""The Docker Engine API: the only module that imports docker.

One API client a thread (the SDK's sessions are not to be shared), and faults as msctl's errors.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import docker
import requests
import urllib3
from docker.errors import APIError, DockerException
from docker.utils import kwargs_from_env

from msctl.errors import EngineUnreachable, MsctlError

API_TIMEOUT = 60
"""Seconds without a byte after which a call to the engine has failed."""
OLDEST_API = (1, 41)
NEWEST_API = (1, 51)
"""The newest API that msctl was tried with."""
_CONNECTION_FAULTS = (
    requests.ConnectionError,
    requests.Timeout,
    urllib3.exceptions.HTTPError,
    ConnectionError,
)


class EngineFault(MsctlError):
    """The engine refused a call; `status` is the HTTP status of its answer."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@contextmanager
def _faults(address: str) -> Iterator[None]:
    try:
        yield
    except APIError as error:
        raise EngineFault(error.explanation or str(error), error.status_code or 500) from error
    except _CONNECTION_FAULTS as error:
        raise unreachable(address, error) from error
    except DockerException as error:
        # Raised where a connection could not be made at all, with the reason inside.
        raise unreachable(address, error) from error


def unreachable(address: str, error: BaseException) -> EngineUnreachable:
    return EngineUnreachable(
        f"no Docker engine answers at {address}: {_reason(error)}",
        hint="start it (systemctl start docker, or Docker Desktop), or set DOCKER_HOST; "
        "msctl doctor tells more",
    )


def _reason(error: BaseException) -> str:
    """The innermost reason, without the layers of the HTTP library around it."""
    seen = error
    while True:
        inner = seen.__cause__ or seen.__context__
        if inner is None:
            break
        seen = inner
    if isinstance(seen, OSError) and seen.strerror:
        return seen.strerror
    return str(seen) or type(seen).__name__


class Client:
    """Calls to one engine."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.address = environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
        self.local = self.address.startswith(("unix://", "npipe://"))
        """Whether the engine runs on this machine."""
        with _faults(self.address):
            self._settings: dict[str, Any] = dict(kwargs_from_env(environment=dict(environ)))
        self._threads = threading.local()
        self._version: str | None = None

    def _api(self, timeout: int = API_TIMEOUT) -> docker.APIClient:
        if not hasattr(self._threads, "api"):
            if self._version is None:
                first = docker.APIClient(version="auto", timeout=API_TIMEOUT, **self._settings)
                offered = tuple(int(part) for part in first.api_version.split("."))
                self._version = ".".join(map(str, min(offered, NEWEST_API)))
                first.close()
            self._threads.api = docker.APIClient(
                version=self._version, timeout=API_TIMEOUT, **self._settings
            )
        api: docker.APIClient = self._threads.api
        api.timeout = timeout
        return api

    def call(self, request: Callable[[Any], Any], timeout: int = API_TIMEOUT) -> Any:
        """One call: `client.call(lambda api: api.info())`; `timeout` in seconds.

        Raises:
            EngineFault: the engine refused it.
            EngineUnreachable: the engine did not answer.
        """
        with _faults(self.address):
            return request(self._api(timeout))

    def execute(self, container: str, words: list[str], given: str) -> tuple[int, str]:
        """Run a command in a container, with a line on its standard input: status and output.

        Raises:
            EngineFault, EngineUnreachable: as `call`.
        """
        from docker.utils import socket as frames

        with _faults(self.address):
            api = self._api()
            made = api.exec_create(container, words, stdin=True)
            wrapped = api.exec_start(made["Id"], socket=True)
            connection: Any = getattr(wrapped, "_sock", wrapped)
            try:
                connection.settimeout(API_TIMEOUT)
                connection.sendall(given.encode())
                found: Any = frames.frames_iter(wrapped, tty=False)  # type: ignore[no-untyped-call]
                output = b"".join(data for _, data in found)
            finally:
                wrapped.close()
            status = api.exec_inspect(made["Id"])["ExitCode"]
        return int(status or 0), output.decode("utf-8", "replace")

    def stream(self, request: Callable[[Any], Any], timeout: int = API_TIMEOUT) -> Generator[Any]:
        """The items of a streamed answer; faults while reading are translated too."""
        with _faults(self.address):
            stream = request(self._api(timeout))
            yield from stream

    def open_stream(self, request: Callable[[Any], Any]) -> Stream:
        """A stream that another thread may close."""
        return Stream(self.address, self.call(request))


class Stream:
    """A streamed answer, such as events; closing it ends its reader."""

    def __init__(self, address: str, stream: Any) -> None:
        self._address = address
        self._stream = stream
        self._closed = False

    def __iter__(self) -> Iterator[Any]:
        try:
            with _faults(self._address):
                yield from self._stream
        except (EngineUnreachable, ValueError, AttributeError):
            # Closed by another thread while it was read: whatever the SDK makes of that is the end.
            if not self._closed:
                raise

    def close(self) -> None:
        self._closed = True
        self._stream.close()
