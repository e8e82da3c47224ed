"""What is known of a project's containers while a plan runs.

The engine's events tell of changes as they come. But an event can be lost: before the stream is
subscribed, while it is reconnected, and by a connection that broke in silence. So whoever waits for
a container has the engine asked for it when the wait begins, and again from time to time. It is
asked by `inspect`: the list of containers is made from a copy, which lags behind the events.
"""

from __future__ import annotations

import heapq
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from msctl.engines.compose import labels
from msctl.engines.compose.api.client import MISSING, Client, EngineFault, Stream
from msctl.errors import EngineUnreachable
from msctl.state import Health

SETTLE = 0.5
"""Seconds that a container without a health check has to keep running to count as healthy."""
PROBED = 3.0
"""Seconds after which a container that starts has been checked once, where the engine checks every
second then. What fails meanwhile is no event, and does not make it unhealthy."""
RELOOK = 2.0
"""Seconds between two looks at a container that is waited for, besides the events."""
PATIENCE = 5
"""Seconds that the engine has to answer a look; there will be another."""
RECONNECTS = 5
"""Attempts to get the event stream back, a second apart, before the engine is given up."""


@dataclass
class Life:
    """What is known of one container."""

    id: str
    running: bool = False
    health: Health = Health.NONE
    since: float = 0.0
    """Monotonic time of the last start, or of the look that found it running."""
    deaths: int = 0
    code: int | None = None
    """Exit status of the last death; the engine forgets it when it starts the container again."""
    probed: bool = False
    """Whether the output of its first checks was looked at."""
    told: float = 0.0
    """Monotonic time of its last event."""


class Lives:
    """Fed by three threads: one reads the events, one looks again at what is waited for, and one
    tells of moments at which the engine tells nothing."""

    def __init__(self, client: Client, project: str, changed: Callable[[], None]) -> None:
        self._client = client
        self._project = project
        self._changed = changed
        self._lives: dict[str, Life] = {}
        self._lock = threading.Lock()
        """Held while a life is changed, never while the engine is asked."""
        self._wanted: set[str] = set()
        self._closing = threading.Event()
        self._stream: Stream | None = None
        self._threads = [
            threading.Thread(target=target, name=name, daemon=True)
            for target, name in (
                (self._read, "msctl-events"),
                (self._relook, "msctl-looks"),
                (self._remind, "msctl-moments"),
            )
        ]
        self._moments: queue.SimpleQueue[float | None] = queue.SimpleQueue()
        """Monotonic times at which a life has to be looked at; None: the end."""
        self.fault: EngineUnreachable | None = None
        """Why nothing more will be told."""

    def open(self) -> None:
        self._subscribe()
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        self._closing.set()
        self._moments.put(None)
        if self._stream is not None:
            self._stream.close()
        for thread in self._threads:
            thread.join(timeout=PATIENCE)

    def of(self, name: str) -> Life | None:
        """What is known of a container that is waited for; None where it never ran."""
        with self._lock:
            self._wanted.add(name)
            known = name in self._lives
        if not known:
            self._look(name)
        return self._lives.get(name)

    # Events

    def _subscribe(self) -> None:
        filters = {
            "type": "container",
            "label": f"{labels.PROJECT}={self._project}",
            "event": ["start", "die", "health_status"],
        }
        self._stream = self._client.open_stream(
            lambda api: api.events(filters=filters, decode=True)
        )

    def _read(self) -> None:
        attempts = 0
        while not self._closing.is_set():
            try:
                assert self._stream is not None
                for event in self._stream:
                    attempts = 0
                    self._apply(event)
                    self._changed()
                if not self._closing.wait(min(attempts, 1)):
                    self._subscribe()
                    self._look_at(set(self._lives))
            except EngineUnreachable as fault:
                attempts += 1
                if attempts >= RECONNECTS:
                    self._give_up(fault)
                    return
                self._closing.wait(1)
            except EngineFault as fault:
                self._give_up(
                    EngineUnreachable(f"the engine's event stream ended: {fault.message}")
                )
                return

    def _give_up(self, fault: EngineUnreachable) -> None:
        self.fault = fault
        self._changed()

    def _apply(self, event: Mapping[str, Any]) -> None:
        actor = event["Actor"]
        name, action = actor["Attributes"]["name"], event["Action"]
        with self._lock:
            if action != "start" and not self._knows(name, actor["ID"]):
                self._lives.pop(name, None)  # whoever waits for it looks
                return
            life = self._life(name, actor["ID"])
            life.told = time.monotonic()
            if action == "start":
                self._started(life, Health.STARTING)
            elif action == "die":
                self._ended(life, _status(actor["Attributes"].get("exitCode")))
            elif action.startswith("health_status"):
                word = action.partition(": ")[2] or event.get("HealthStatus")  # Podman's place
                life.health = _health(word or "starting")

    def _knows(self, name: str, identity: str) -> bool:
        return name in self._lives and self._lives[name].id == identity

    def _life(self, name: str, identity: str) -> Life:
        if not self._knows(name, identity):
            self._lives[name] = Life(identity)
        return self._lives[name]

    def _started(self, life: Life, health: Health) -> None:
        life.running, life.health, life.since = True, health, time.monotonic()
        life.probed = False
        for later in (SETTLE, PROBED):
            self._moments.put(life.since + later)

    def _remind(self) -> None:
        """Tell of each moment when it has come."""
        due: list[float] = []
        while True:
            patience = max(0.0, due[0] - time.monotonic()) if due else None
            try:
                moment = self._moments.get(timeout=patience)
            except queue.Empty:
                while due and due[0] <= time.monotonic():
                    heapq.heappop(due)
                self._changed()
                continue
            if moment is None:
                return
            heapq.heappush(due, moment)

    def _ended(self, life: Life, code: int | None) -> None:
        """Once for each life, whether it was told or seen."""
        life.code = code
        if life.running:
            life.running, life.deaths = False, life.deaths + 1

    # Looks

    def _relook(self) -> None:
        while not self._closing.wait(RELOOK):
            with self._lock:
                wanted, self._wanted = self._wanted, set()
            self._look_at(wanted)

    def _look_at(self, names: set[str]) -> None:
        for name in sorted(names):
            if self._closing.is_set():
                return
            self._look(name)
        self._changed()

    def _look(self, name: str) -> None:
        """Ask the engine for a container; where it does not answer, the stream tells of it."""
        asked = time.monotonic()
        try:
            found = self._client.call(lambda api: api.inspect_container(name), PATIENCE)
        except EngineUnreachable:
            return
        except EngineFault as fault:
            if fault.status != MISSING:
                return
            found = {"Id": "", "State": {"Status": "removed"}}
        if found["State"].get("Status") == "created":
            return
        with self._lock:
            known = self._lives.get(name)
            if known is None or known.told < asked:  # else an event is newer
                self._see(self._life(name, found["Id"]), found["State"])

    def _see(self, life: Life, state: Mapping[str, Any]) -> None:
        running = bool(state.get("Running")) and not state.get("Restarting")
        health = _health((state.get("Health") or {}).get("Status") or "none")
        if not running:
            self._ended(life, state.get("ExitCode"))
        elif not life.running:
            self._started(life, health)
        life.health = health


def _status(text: str | None) -> int | None:
    """An exit status as an event tells it."""
    return int(text) if text else None


def _health(word: str) -> Health:
    """What is said of a check that is not at work is not known."""
    return Health(word) if word in set(Health) else Health.NONE
