"""The Docker Engine API: the only module that imports docker.

One API client a thread (the SDK's sessions are not to be shared), and faults as msctl's errors.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import docker
import requests
import urllib3
from docker.errors import APIError, DockerException
from docker.tls import TLSConfig
from docker.transport import UnixHTTPAdapter

from msctl.deadline import within
from msctl.engines.compose.endpoint import Endpoint, endpoint
from msctl.engines.compose.ssh import SCHEME, SshAdapter, SshFault
from msctl.errors import EngineUnreachable, MsctlError, causes, reason

API_TIMEOUT = 60
"""Seconds without a byte after which a call to the engine has failed."""
WHOLE = 2
"""By how much longer a whole answer may take than a single byte of it."""
COMMAND_TIME = 600
"""Seconds that a command in a container may take."""
_KEPT_OUTPUT = 64 * 1024
"""Bytes of its output, from the end."""
OLDEST_API = (1, 41)
NEWEST_API = (1, 51)
"""The newest API that msctl was tried with."""
_CONNECTION_FAULTS = (
    requests.RequestException,  # with an answer that breaks off, or is no JSON
    urllib3.exceptions.HTTPError,
    ConnectionError,
    TimeoutError,
)


class EngineFault(MsctlError):
    """The engine refused a call; `status` is the HTTP status of its answer."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@contextmanager
def _faults(place: Endpoint) -> Iterator[None]:
    try:
        yield
    except APIError as error:
        raise EngineFault(error.explanation or str(error), error.status_code or 500) from error
    except _CONNECTION_FAULTS as error:
        raise unreachable(place.address, error, place) from error
    except DockerException as error:
        # Raised where a connection could not be made at all, with the reason inside.
        raise unreachable(place.address, error, place) from error


def unreachable(
    address: str, error: BaseException, place: Endpoint | None = None
) -> EngineUnreachable:
    place = place or Endpoint(address, "")
    by, why = f" ({place.chosen_by})" if place.chosen_by else "", reason(error)
    hint = place.hint
    if place.local and "ermission denied" in why:
        hint = "sudo usermod -aG docker $USER, then log in anew; or use sudo"
    if (fault := _by_ssh(error)) is not None:
        why, hint = fault.reason, fault.hint
    return EngineUnreachable(f"no Docker engine answers at {address}{by}: {why}", hint=hint)


def connection(place: Endpoint) -> dict[str, Any]:
    """What the SDK is told of an engine."""
    if place.address.startswith(SCHEME):
        return {"base_url": "unix:///ssh"}  # its connections are made by an adapter of ours
    if place.local or (place.certificates is None and place.verify):
        return {"base_url": place.address}
    tls = TLSConfig(**certificates(place), verify=place.verify)
    return {"base_url": place.address.replace("tcp://", "https://", 1), "tls": tls}


def certificates(place: Endpoint) -> dict[str, Any]:
    """The files that there are; without its authority's an engine is not verified by chance."""
    if place.certificates is None:
        return {}
    ca, cert, key = (place.certificates / name for name in ("ca.pem", "cert.pem", "key.pem"))
    found: dict[str, Any] = {"ca_cert": str(ca)} if place.verify or ca.exists() else {}
    if cert.exists() or key.exists():
        found["client_cert"] = (str(cert), str(key))
    return found


def _by_ssh(error: BaseException) -> SshFault | None:
    """The fault of ssh that another one is about."""
    return next((cause for cause in causes(error) if isinstance(cause, SshFault)), None)


class _Api(docker.APIClient):
    """The SDK, without a trap of requests."""

    def merge_environment_settings(
        self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> Any:
        """The engine's own authority counts, where requests would put $REQUESTS_CA_BUNDLE first."""
        verify = self.verify if verify is None else verify
        return super().merge_environment_settings(url, proxies, stream, verify, cert)


class _Socket(UnixHTTPAdapter):
    """The SDK's way to a socket, which would make a connection for every URL."""

    def get_connection(self, _url: Any, proxies: Any = None) -> Any:
        return super().get_connection("http+docker://localhost", proxies)


class Client:
    """Calls to one engine."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.place = endpoint(environ)
        self.address = self.place.address
        self.local = self.place.local
        """Whether the engine runs on this machine."""
        with _faults(self.place):
            self._settings = connection(self.place)
        self._threads = threading.local()
        self._told: dict[str, Any] | None = None

    def _api(self, timeout: int | None = None) -> docker.APIClient:
        if not hasattr(self._threads, "api"):
            offered = tuple(int(part) for part in self._version()["ApiVersion"].split("."))
            self._threads.api = self._new(min(offered, NEWEST_API))
        api: docker.APIClient = self._threads.api
        api.timeout = timeout or API_TIMEOUT
        return api

    def _version(self) -> dict[str, Any]:
        if self._told is None:
            first = self._new(OLDEST_API)
            self._told = within(WHOLE * API_TIMEOUT, lambda: first.version(api_version=False))
            first.close()
        return self._told

    def _new(self, version: tuple[int, ...]) -> docker.APIClient:
        text = ".".join(map(str, version))
        api = _Api(version=text, timeout=API_TIMEOUT, **self._settings)
        if self.local:  # no proxy leads to a socket, and to look for one costs a third of a call
            api.trust_env = False
        if self.address.startswith("unix://"):
            api.mount("http+docker://", _Socket(f"http+{self.address}", API_TIMEOUT))
        if self.address.startswith(SCHEME):
            api.mount("http+docker://", SshAdapter(self.address, self.environ))
        return api

    def call(
        self, request: Callable[[Any], Any], timeout: int | None = None, *, longer: float = 0
    ) -> Any:
        """One call: `client.call(lambda api: api.info())`. The engine has `timeout` seconds for its
        answer; by default API_TIMEOUT for each byte of it and twice that, and `longer`, for all.

        Raises:
            EngineFault: the engine refused it.
            EngineUnreachable: the engine did not answer.
        """
        with _faults(self.place):
            api = self._api(timeout)
            try:
                return within(timeout or WHOLE * API_TIMEOUT + longer, lambda: request(api))
            except TimeoutError:
                del self._threads.api  # it is still at it
                raise

    @property
    def virtual(self) -> bool:
        """Whether the engine of this machine runs in one of its own, as Docker Desktop's does:
        its socket there is no file here."""
        platform = (self.version().get("Platform") or {}).get("Name") or ""
        return sys.platform != "linux" or "desktop" in platform.lower()

    def version(self) -> dict[str, Any]:
        """What the engine tells of itself, asked once.

        Raises:
            EngineFault, EngineUnreachable: as `call`.
        """
        with _faults(self.place):
            return self._version()

    def execute(self, container: str, words: list[str], given: str) -> tuple[int, str]:
        """Run a command in a container, with a line on its standard input: status and output.

        Raises:
            EngineFault, EngineUnreachable: as `call`.
        """
        from docker.utils import socket as frames

        made = self.call(lambda api: api.exec_create(container, words, stdin=True))
        with _faults(self.place):
            wrapped = self.call(lambda api: api.exec_start(made["Id"], socket=True))
            connection: Any = getattr(wrapped, "_sock", wrapped)
            try:
                connection.settimeout(API_TIMEOUT)
                connection.sendall(given.encode())
                found: Any = frames.frames_iter(wrapped, tty=False)  # type: ignore[no-untyped-call]
                output = _told(data for _, data in found)
            finally:
                wrapped.close()
        status = self.call(lambda api: api.exec_inspect(made["Id"]))["ExitCode"]
        return int(status or 0), output.decode("utf-8", "replace")

    def stream(self, request: Callable[[Any], Any], timeout: int | None = None) -> Generator[Any]:
        """The items of a streamed answer; faults while reading are translated too."""
        with _faults(self.place):
            stream = request(self._api(timeout))
            yield from stream

    def open_stream(self, request: Callable[[Any], Any]) -> Stream:
        """A stream that another thread may close."""
        return Stream(self.place, self.call(request))


def _told(parts: Iterable[bytes]) -> bytes:
    """The end of what a command says, when it has ended.

    Raises:
        EngineFault: it does not end.
    """
    end = time.monotonic() + COMMAND_TIME
    kept = b""
    for part in parts:
        kept = (kept + part)[-_KEPT_OUTPUT:]
        if time.monotonic() > end:
            raise EngineFault(f"the command did not end within {COMMAND_TIME} s", 504)
    return kept


class Stream:
    """A streamed answer, such as events; closing it ends its reader."""

    def __init__(self, place: Endpoint, stream: Any) -> None:
        self._place = place
        self._stream = stream
        self._closed = False

    def __iter__(self) -> Iterator[Any]:
        try:
            with _faults(self._place):
                yield from self._stream
        except (EngineUnreachable, ValueError, AttributeError):
            # Closed by another thread while it was read: whatever the SDK makes of that is the end.
            if not self._closed:
                raise

    def close(self) -> None:
        self._closed = True
        self._stream.close()
