"""What the pods of a stack wrote."""

from __future__ import annotations

import heapq
import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from msctl.engines.base import LogLine
from msctl.engines.kubernetes.client import Client, Lines
from msctl.engines.kubernetes.faults import Refused
from msctl.engines.kubernetes.kinds import POD, Data
from msctl.engines.kubernetes.rollouts import troubled_container
from msctl.errors import MsctlError
from msctl.state import parse_time

_LOOK = 2.0
"""Seconds between two looks for pods that have come since."""


def last_lines(client: Client, namespace: str, pod: Data, lines: int = 10) -> list[str]:
    """The last lines of a pod's container that does not do well; none where there is no log."""
    container, previous = troubled_container(pod)
    query = {"tailLines": str(lines)}
    if container is not None:
        query["container"] = container
    if previous:
        query["previous"] = "true"
    path = POD.path(namespace, f"{pod['metadata']['name']}/log")
    try:
        return client.text(path, query).splitlines()[-lines:]
    except Refused:
        return []


def merged(
    client: Client, namespace: str, pods: Sequence[Data], query: Mapping[str, str]
) -> Iterator[LogLine]:
    """The lines that are there, of all pods, in the order of their time."""
    streams = [_lines(client, namespace, pod, query) for pod in pods]
    return heapq.merge(*streams, key=lambda line: line.at.timestamp() if line.at else 0.0)


def query_of(tail: int | None, since: datetime | None) -> dict[str, str]:
    query = {"timestamps": "true"}
    if tail is not None:
        query["tailLines"] = str(tail)
    if since is not None:
        query["sinceTime"] = since.isoformat()
    return query


def _lines(
    client: Client, namespace: str, pod: Data, query: Mapping[str, str]
) -> Iterator[LogLine]:
    name, container = pod["metadata"]["name"], pod["spec"]["containers"][0]["name"]
    try:
        text = client.text(POD.path(namespace, f"{name}/log"), {**query, "container": container})
    except Refused:
        return  # not started yet, or gone
    for line in text.splitlines():
        yield parse(name, line)


def parse(name: str, line: str) -> LogLine:
    """A line with its time before it, as `timestamps=true` gives it."""
    stamp, _, text = line.partition(" ")
    at = parse_time(stamp.replace("Z", "+00:00"))
    return LogLine(name, line) if at is None else LogLine(name, text, at)


class Follower:
    """Follows the logs of pods; those that start later are followed too."""

    def __init__(self, client: Client, namespace: str, pods: Callable[[], Sequence[Data]]) -> None:
        self._client = client
        self._namespace = namespace
        self._pods = pods
        self._found: queue.SimpleQueue[LogLine] = queue.SimpleQueue()
        self._streams: list[Lines] = []
        self._known: set[str] = set()

    def follow(self, query: Mapping[str, str]) -> Iterator[LogLine]:
        """Lines as they come, until the caller stops asking."""
        try:
            self._begin(query)
            while True:
                try:
                    yield self._found.get(timeout=_LOOK)
                except queue.Empty:
                    # Of what is new, all that it wrote is new too.
                    self._begin({"timestamps": "true"})
        finally:
            for stream in self._streams:
                stream.close()

    def _begin(self, query: Mapping[str, str]) -> None:
        for pod in self._pods():
            uid = pod["metadata"].get("uid", pod["metadata"]["name"])
            statuses = (pod.get("status") or {}).get("containerStatuses") or ()
            life = f"{uid} {[s.get('restartCount', 0) for s in statuses]}"
            runs = any("running" in (s.get("state") or {}) for s in statuses)
            if runs and life not in self._known:
                self._known.add(life)
                threading.Thread(target=self._read, args=(pod, dict(query)), daemon=True).start()

    def _read(self, pod: Data, query: dict[str, str]) -> None:
        name, container = pod["metadata"]["name"], pod["spec"]["containers"][0]["name"]
        query |= {"follow": "true", "container": container}
        try:
            stream = self._client.lines(POD.path(self._namespace, f"{name}/log"), query)
        except MsctlError:
            return  # gone between the look and the call
        self._streams.append(stream)
        for line in stream:
            self._found.put(parse(name, line))
