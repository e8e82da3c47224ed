"""The Docker Engine API: faults as msctl's errors.

An engine at a socket is asked by Python's own HTTP client, which is quick; all others, and what is
seldom asked, by the Docker SDK.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from msctl.deadline import told_when_late
from msctl.engines.compose.api.endpoint import Endpoint, endpoint
from msctl.engines.compose.api.faults import EngineFault
from msctl.engines.compose.api.socketapi import SocketLine
from msctl.engines.compose.api.unreached import no_engine, unreachable
from msctl.engines.compose.api.wire import Limits, Unanswered, Wire
from msctl.errors import EngineUnreachable, MsctlError

if TYPE_CHECKING:
    from msctl.engines.compose.api.sdk import Sdk

__all__ = ["Client", "EngineFault", "Stream", "unreachable"]

API_TIMEOUT = 60
"""Seconds without a byte after which a call to the engine has failed."""
LATE = 3
"""Seconds without an answer to the first call after which that is told."""
WHOLE = 2
"""By how much longer a whole answer may take than a single byte of it."""
COMMAND_TIME = 600
"""Seconds that a command in a container may take."""
_KEPT_OUTPUT = 64 * 1024
"""Bytes of its output, from the end."""
_FRAME_HEAD = 8
"""Bytes before each piece of output."""
MISSING, CONFLICT = 404, 409
"""Statuses of a refusal: what is asked for is not there, or in a state that forbids it."""
OLDEST_API = (1, 41)
NEWEST_API = (1, 51)
"""The newest API that msctl was tried with."""
_SOCKET = "unix://"
_SDK = "msctl.engines.compose.api.sdk"


_VERSION = re.compile(r"\d+\.\d+", re.ASCII)


def _version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


@contextmanager
def _faults(place: Endpoint) -> Iterator[None]:
    try:
        yield
    except (Unanswered, ConnectionError, TimeoutError) as error:
        raise unreachable(place.address, error, place) from error
    except MsctlError:
        raise
    except json.JSONDecodeError as error:
        raise no_engine(place, "its answer is no JSON") from error
    except Exception as error:
        sdk = sys.modules.get(_SDK)
        if sdk is None or not hasattr(sdk, "refused"):  # another thread may be loading it
            raise
        if isinstance(error, sdk.APIError):
            raise sdk.refused(error) from error
        if isinstance(error, sdk.FAULTS):
            raise unreachable(place.address, error, place) from error
        raise


class Client:
    """Calls to one engine."""

    def __init__(
        self, environ: Mapping[str, str], warn: Callable[[str], None] = lambda _: None
    ) -> None:
        """`warn` tells what somebody has to know who waits for the engine, or meant another."""
        self.environ = environ
        self.place = endpoint(environ)
        self._warn = warn
        if self.place.doubt:
            warn(self.place.doubt)
        self.address = self.place.address
        self.local = self.place.local
        """Whether the engine runs on this machine."""
        self._lock = threading.Lock()
        self._told: dict[str, Any] | None = None
        """What the engine has told of itself, before any other call."""
        self._unanswered: tuple[float, EngineUnreachable] | None = None
        """When it was last asked in vain, and what came of it."""
        self._wire = None
        if self.address.startswith(_SOCKET):
            self._wire = Wire("/" + self.address.removeprefix(_SOCKET).lstrip("/"))
        with _faults(self.place):
            self._line = self._speaking(OLDEST_API)

    def _speaking(self, version: tuple[int, ...]) -> Sdk | SocketLine:
        text = ".".join(map(str, version))

        def sdk() -> Sdk:
            from msctl.engines.compose.api.sdk import Sdk

            return Sdk(self.place, self.environ, text)

        return SocketLine(self._wire, text, sdk) if self._wire else sdk()

    def _greet(self) -> dict[str, Any]:
        """Have the engine tell its version, once, and speak that. Those who ask at the same time
        wait for one answer together, also where it does not come."""
        began = time.monotonic()
        with self._lock:
            if self._unanswered is not None and self._unanswered[0] > began:
                raise self._unanswered[1]
            if self._told is None:
                try:
                    told = self._first_answer()
                except EngineUnreachable as error:
                    self._unanswered = time.monotonic(), error
                    raise
                offered = _version(told["ApiVersion"])
                self._line = self._speaking(min(offered, NEWEST_API))
                self._told = told
            return self._told

    def _first_answer(self) -> dict[str, Any]:
        """What the engine tells of itself.

        Raises:
            EngineUnreachable: it is none, or speaks no API that msctl does.
        """
        try:
            with _faults(self.place), told_when_late(LATE, self._tell_late):
                told = self._line.run(
                    lambda api: api.version(api_version=False),
                    Limits(API_TIMEOUT, WHOLE * API_TIMEOUT),
                )
        except EngineFault as error:
            raise no_engine(self.place, f"{error.message} (status {error.status})") from error
        if not isinstance(told, dict) or not _VERSION.fullmatch(str(told.get("ApiVersion"))):
            raise no_engine(self.place, "it does not tell its version")
        oldest = str(told.get("MinAPIVersion"))
        if _VERSION.fullmatch(oldest) and _version(oldest) > NEWEST_API:
            newest = ".".join(map(str, NEWEST_API))
            why = f"its API is {oldest} or newer, and msctl's {newest} at the most"
            raise no_engine(self.place, why)
        return told

    def _tell_late(self) -> None:
        self._warn(
            f"the engine at {self.place} has not answered for {LATE} s; msctl waits up to "
            f"{API_TIMEOUT} s"
        )

    def _run(self, request: Callable[[Any], Any], byte: float, whole: float | None = None) -> Any:
        if self._told is None:
            self._greet()
        return self._line.run(request, Limits(byte, whole))

    def call(
        self, request: Callable[[Any], Any], timeout: float | None = None, *, longer: float = 0
    ) -> Any:
        """One call: `client.call(lambda api: api.info())`. The engine has `timeout` seconds for its
        answer; by default API_TIMEOUT for each byte of it and twice that, and `longer`, for all.

        Raises:
            EngineFault: the engine refused it.
            EngineUnreachable: the engine did not answer.
        """
        whole = timeout or WHOLE * API_TIMEOUT + longer
        with _faults(self.place):
            return self._run(request, timeout or API_TIMEOUT, whole)

    def quietly(self, status: int, request: Callable[[Any], Any], *, longer: float = 0) -> None:
        """A call whose one expected refusal, with this status, means that it is done already."""
        try:
            self.call(request, longer=longer)
        except EngineFault as fault:
            if fault.status != status:
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
            return self._greet()

    def execute(self, container: str, words: list[str], given: str) -> tuple[int, str]:
        """Run a command in a container, with a line on its standard input: status and output.

        Raises:
            EngineFault, EngineUnreachable: as `call`.
        """
        from msctl.engines.compose.api.sdk import frames_iter

        made = self.call(lambda api: api.exec_create(container, words, stdin=True))
        with _faults(self.place):
            wrapped = self.call(lambda api: api.exec_start(made["Id"], socket=True))
            connection: Any = getattr(wrapped, "_sock", wrapped)
            try:
                connection.settimeout(API_TIMEOUT)
                connection.sendall(given.encode())
                found: Any = frames_iter(wrapped, tty=False)  # type: ignore[no-untyped-call]
                output = _told(data for _, data in found)
            finally:
                wrapped.close()
        return self._exit_status(made["Id"]), output.decode("utf-8", "replace")

    def run(self, container: str, words: list[str], seconds: float) -> tuple[int, str]:
        """Run a command in a container, within so many seconds: status, and how its output begins.

        Raises:
            EngineFault: the engine refused it.
            EngineUnreachable: it did not end in time.
        """
        made = self.call(lambda api: api.exec_create(container, words))["Id"]
        output = self.call(lambda api: _beginning(api.exec_output(made)), seconds)
        return self._exit_status(made), output[_FRAME_HEAD:].decode("utf-8", "replace")

    def _exit_status(self, command: str) -> int:
        """Of a command that says no more.

        Raises:
            EngineFault: it has none yet, which is no success.
        """
        status = self.call(lambda api: api.exec_inspect(command))["ExitCode"]
        if status is None:
            raise EngineFault("the command has not ended, though it says no more", 504)
        return int(status)

    def stream(self, request: Callable[[Any], Any], timeout: int | None = None) -> Generator[Any]:
        """The items of a streamed answer; faults while reading are translated too."""
        with _faults(self.place):
            yield from self._run(request, timeout or API_TIMEOUT)

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


def _beginning(parts: Iterable[bytes]) -> bytes:
    """What comes first; all else is read and thrown away."""
    kept = b""
    for part in parts:
        kept = kept or part
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
