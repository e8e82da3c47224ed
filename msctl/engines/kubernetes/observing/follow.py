"""What the pods of a stack write, as it comes; also of those that start later."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from msctl.engines.base import LogLine
from msctl.engines.kubernetes.api.client import Client
from msctl.engines.kubernetes.api.feed import Feed
from msctl.engines.kubernetes.api.lines import Lines
from msctl.engines.kubernetes.kinds import POD, Data
from msctl.engines.kubernetes.observing.logs import parse
from msctl.errors import MsctlError

LOOK = 5.0
"""Seconds between two looks for pods that have come since, where no watch tells of them."""
BRIEF = 1.0
"""Seconds: a stream that ends sooner is opened again with the next look only."""
_PAUSE = 0.2
"""Seconds between two looks at the most: a rollout tells of many changes at once."""


class Follower:
    """Follows the log of each container's life: pods come and go, and containers start again."""

    def __init__(
        self,
        client: Client,
        namespace: str,
        selector: str,
        pods: Callable[[], Sequence[Data]],
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._selector = selector
        self._pods = pods
        self._found: queue.SimpleQueue[LogLine | MsctlError] = queue.SimpleQueue()
        self._streams: dict[str, Lines] = {}
        """By life, as long as they go on."""
        self._last: dict[str, datetime] = {}
        """The time of the last line of each life, which is gone on from where a stream breaks."""
        self._asked: dict[str, Mapping[str, str]] = {}
        """What was asked of each life: asked again where a stream breaks before a line."""
        self._look = threading.Event()
        self._closed = False

    def follow(self, query: Mapping[str, str]) -> Iterator[LogLine]:
        """Lines as they come, until the caller stops asking.

        Raises:
            MsctlError: the pods cannot be looked at from the first.
        """
        self._begin(self._pods(), query)
        feed = Feed(self._client, POD.path(self._namespace), self._selector, self._look.set)
        feed.start()
        threading.Thread(target=self._go_on, name="msctl-logs", daemon=True).start()
        try:
            while True:
                found = self._found.get()
                if isinstance(found, MsctlError):
                    raise found
                yield found
        finally:
            self._closed = True
            self._look.set()
            feed.close()
            for stream in list(self._streams.values()):
                stream.close()

    def _go_on(self) -> None:
        """Look again and again. Of what is new, all that it wrote is new too."""
        pause = threading.Event()
        while not self._closed:
            self._look.wait(LOOK)
            self._look.clear()
            try:
                self._begin(self._pods(), {"timestamps": "true"})
            except MsctlError as error:
                if error.exit_status == MsctlError.exit_status:  # it will not get better
                    self._found.put(error)
                    return
            pause.wait(_PAUSE)

    def _begin(self, pods: Sequence[Data], query: Mapping[str, str]) -> None:
        for pod in pods:
            uid = pod["metadata"].get("uid", pod["metadata"]["name"])
            statuses = (pod.get("status") or {}).get("containerStatuses") or ()
            life = f"{uid} {[s.get('restartCount', 0) for s in statuses]}"
            runs = any("running" in (s.get("state") or {}) for s in statuses)
            if runs and life not in self._streams and not self._closed:
                self._open(life, pod, query)

    def _open(self, life: str, pod: Data, query: Mapping[str, str]) -> None:
        name, container = pod["metadata"]["name"], pod["spec"]["containers"][0]["name"]
        asked = {**self._asked.setdefault(life, query), "follow": "true", "container": container}
        if (last := self._last.get(life)) is not None:
            asked = {"timestamps": "true", "follow": "true", "container": container}
            asked["sinceTime"] = last.isoformat()
        try:
            stream = self._client.lines(POD.path(self._namespace, f"{name}/log"), asked)
        except MsctlError:
            return  # gone between the look and the call, or not to be reached at this moment
        self._streams[life] = stream
        threading.Thread(target=self._read, args=(life, name, stream), daemon=True).start()

    def _read(self, life: str, name: str, stream: Lines) -> None:
        """A stream that ends while its container runs on has broken, and is opened again."""
        before, opened = self._last.get(life), time.monotonic()
        for text in stream:
            line = parse(name, text)
            if line.at is not None:
                if before is not None and line.at <= before:
                    continue  # told already
                self._last[life] = line.at
            self._found.put(line)
        self._streams.pop(life, None)
        if time.monotonic() - opened > BRIEF:
            self._look.set()
