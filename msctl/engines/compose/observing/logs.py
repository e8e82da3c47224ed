"""What containers wrote."""

from __future__ import annotations

import heapq
import queue
import threading
from collections.abc import Iterator
from datetime import datetime

from msctl.engines.base import LogLine
from msctl.engines.compose import labels
from msctl.engines.compose.api.client import CONFLICT, MISSING, Client, EngineFault, Stream
from msctl.errors import EngineUnreachable
from msctl.state import Replica, parse_time

LONG_LOG = 600
"""Seconds that all that a container ever wrote may take longer than other answers."""


def last_lines(client: Client, container: str, lines: int = 10) -> list[str]:
    """The last lines that a container wrote, oldest first; none when it is gone."""
    try:
        output = client.call(lambda api: api.logs(container, tail=lines))
    except EngineFault as fault:
        if fault.status in (MISSING, CONFLICT, 501):  # gone, or a log driver that cannot be read
            return []
        raise
    text: str = output.decode(errors="replace")
    return text.splitlines()[-lines:]


def merged(
    client: Client,
    replicas: tuple[Replica, ...],
    tail: int | None,
    since: datetime | None = None,
) -> Iterator[LogLine]:
    """The lines that are there, of all replicas, in the order of their time."""
    streams = [_lines(client, replica.name, replica.id, tail, since) for replica in replicas]
    return heapq.merge(*streams, key=lambda line: line.at.timestamp() if line.at else 0.0)


def _lines(
    client: Client, name: str, container: str, tail: int | None, since: datetime | None
) -> Iterator[LogLine]:
    wanted = {"tail": "all" if tail is None else tail, "since": _since(since)}
    output: bytes = client.call(
        lambda api: api.logs(container, timestamps=True, **wanted), longer=LONG_LOG
    )
    for line in output.decode(errors="replace").splitlines():
        yield _parse(name, line)


def _since(at: datetime | None) -> float | None:
    """As the SDK takes it: it reads a datetime as UTC, whatever its zone."""
    return at.timestamp() if at is not None else None


def _parse(name: str, line: str) -> LogLine:
    stamp, _, text = line.partition(" ")
    at = parse_time(stamp)
    return LogLine(name, text, at) if at is not None else LogLine(name, line)


class Follower:
    """Follows the logs of a project's services; replicas that start later are followed too."""

    def __init__(self, client: Client, project: str, services: tuple[str, ...]) -> None:
        self._client = client
        self._project = project
        self._services = services
        self._lines: queue.SimpleQueue[LogLine | Exception] = queue.SimpleQueue()
        self._streams: list[Stream] = []
        self._closing = False

    def follow(
        self, replicas: tuple[Replica, ...], tail: int | None, since: datetime | None = None
    ) -> Iterator[LogLine]:
        """Lines as they come, until the caller stops asking."""
        filters = {
            "type": "container",
            "label": f"{labels.PROJECT}={self._project}",
            "event": ["start"],
        }
        events = self._client.open_stream(lambda api: api.events(filters=filters, decode=True))
        self._streams.append(events)
        try:
            for replica in replicas:
                self._begin(self._read_container, replica.name, replica.id, tail, _since(since))
            self._begin(self._read_events, events)
            while True:
                line = self._lines.get()
                if isinstance(line, Exception):
                    raise line
                yield line
        finally:
            self._closing = True
            for stream in self._streams:
                stream.close()

    def _begin(self, target: object, *args: object) -> None:
        threading.Thread(target=target, args=args, daemon=True).start()  # type: ignore[arg-type]

    def _read_events(self, events: Stream) -> None:
        try:
            for event in events:
                own = event["Actor"]["Attributes"]
                service = own.get(labels.SERVICE, "")
                if not self._services or service in self._services:
                    # Only what it writes from now on: a restarted container's past is shown.
                    since = event["time"]
                    self._begin(
                        self._read_container, own["name"], event["Actor"]["ID"], None, since
                    )
        except EngineUnreachable as fault:
            self._lines.put(fault)

    def _read_container(
        self, name: str, container: str, tail: int | None, since: float | None = None
    ) -> None:
        count = "all" if tail is None else tail
        try:
            stream = self._client.open_stream(
                lambda api: api.logs(
                    container, stream=True, follow=True, timestamps=True, tail=count, since=since
                )
            )
            self._streams.append(stream)
            rest = b""
            for chunk in stream:
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    self._lines.put(_parse(name, line.decode(errors="replace")))
        except EngineFault as fault:
            if fault.status != MISSING:  # gone between the event and the call
                self._lines.put(fault)
        except EngineUnreachable as fault:
            if not self._closing:
                self._lines.put(fault)
