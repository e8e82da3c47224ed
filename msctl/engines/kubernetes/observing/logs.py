"""What the pods of a stack wrote."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from msctl.engines.base import LogLine
from msctl.engines.kubernetes.api.client import Client
from msctl.engines.kubernetes.api.faults import Refused
from msctl.engines.kubernetes.kinds import POD, Data
from msctl.engines.kubernetes.rollouts import troubled_container
from msctl.state import parse_time


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
