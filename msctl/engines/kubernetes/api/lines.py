"""An answer of the API that goes on, such as a watch or a log that is followed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from msctl.engines.kubernetes.api.sdk import HTTPError

LONGEST_LINE = 16 << 20
"""Bytes of a line: more than any event or line of a log has."""
_AT_ONCE = 1 << 16
"""Bytes that are read at once."""


class Lines:
    """The lines of an answer, as they come."""

    def __init__(self, response: Any) -> None:
        self._response = response
        self._closed = False

    def __iter__(self) -> Iterator[str]:
        rest = b""
        try:
            for chunk in self._chunks():
                *lines, rest = (rest + chunk).split(b"\n")
                if len(rest) > LONGEST_LINE:
                    lines, rest = [*lines, rest], b""
                for line in lines:
                    yield line.decode(errors="replace")
        except (HTTPError, OSError, ValueError, AttributeError):
            pass  # closed by another thread, or the connection has ended: so have the lines
        finally:
            self._response.close()
        if rest and not self._closed:
            yield rest.decode(errors="replace")

    def _chunks(self) -> Iterator[bytes]:
        """What has come, and no more at once than is meant, however long a chunk says it is."""
        if self._response.chunked:
            yield from self._response.stream(amt=_AT_ONCE)
            return
        while found := self._response.read1(_AT_ONCE):
            yield found

    def close(self) -> None:
        """End the reading of another thread, which closes the connection then: to close it here
        would wait for a byte that may never come."""
        self._closed = True
        with suppress(OSError, ValueError, RuntimeError):
            self._response.shutdown()
