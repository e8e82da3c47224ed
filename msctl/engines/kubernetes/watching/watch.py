"""The executor's view of a cluster while a plan runs: how far its workloads are.

The cluster is looked at when a watch tells of a change, and from time to time, all waits in one
look. Nothing can hang, since every wait has a deadline.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from msctl.engines.kubernetes.api.client import Client
from msctl.engines.kubernetes.api.faults import MISSING, Refused
from msctl.engines.kubernetes.api.feed import Feed
from msctl.engines.kubernetes.kinds import EVENT, POD, Data, Kind
from msctl.engines.kubernetes.observing.logs import last_lines
from msctl.engines.kubernetes.rollouts import is_leaving, progress, selects, troubles
from msctl.engines.kubernetes.steps import AwaitGone, AwaitRollout
from msctl.engines.kubernetes.watching.advice import advice
from msctl.errors import EngineUnreachable, StepFailed
from msctl.plan import Wait

FRESH = 0.3
"""Seconds for which a look counts, where nothing is told to have changed."""
HOME = "kubernetes.io/metadata.name"
"""The label that every namespace has of its name."""
PATIENCE = 5
"""Looks in a row that may fail before the server is given up."""
_SHOWN = 5


class RolloutWatch:
    """Used by the executor's thread alone."""

    def __init__(
        self,
        client: Client,
        namespace: str,
        selector: str,
        changed: Callable[[], None],
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._selector = selector
        self._changed = changed
        self._feeds: dict[Kind, Feed] = {}
        self._stale: set[Kind] = set()
        """The kinds of which something has changed since the last look; other threads add."""
        self._looks: dict[Kind, tuple[float, dict[str, Data]]] = {}
        self._begun: dict[int, float] = {}
        """When each wait began: what was seen before says nothing of what was done since."""
        self._failed = 0

    def __enter__(self) -> RolloutWatch:
        return self

    def __exit__(self, *_: object) -> None:
        for feed in self._feeds.values():
            feed.close()

    def _follow(self, kind: Kind, name: str | None = None) -> None:
        """Have changes told, from the first wait on."""
        if kind in self._feeds:
            return

        def changed() -> None:
            self._stale.add(kind)
            self._changed()

        path = kind.path(self._namespace)
        selector = self._selector if name is None or kind.namespaced else f"{HOME}={name}"
        self._feeds[kind] = Feed(self._client, path, selector, changed).start()

    def reached(self, wait: Wait) -> bool:
        try:
            found = self._reached(wait)
        except EngineUnreachable:
            self._failed += 1
            if self._failed >= PATIENCE:
                raise
            return False
        self._failed = 0
        return found

    def _reached(self, wait: Wait) -> bool:
        match wait:
            case AwaitRollout():
                return self._is_rolled_out(wait)
            case AwaitGone():
                return self._is_gone(wait)
        raise TypeError(f"cannot wait for {type(wait).__name__}")

    def _is_rolled_out(self, wait: AwaitRollout) -> bool:
        workload = self._list(wait.kind, wait).get(wait.name)
        if workload is None:
            raise StepFailed(f"{wait.target} was removed by somebody else")
        found = progress(workload, wait.stale)
        if found.failure is not None:
            raise self._explained(f"{wait.target} failed: {found.failure}", wait, workload)
        return found.done

    def _is_gone(self, wait: AwaitGone) -> bool:
        if wait.name is None:
            return not self._list(wait.kind, wait)
        self._follow(wait.kind, wait.name)
        try:
            self._client.get(wait.kind.path(self._namespace, wait.name))
        except Refused as refused:
            if refused.status == MISSING:
                return True
            raise StepFailed(refused.message, hint=refused.hint) from refused
        return False

    def _list(self, kind: Kind, wait: Wait) -> dict[str, Data]:
        self._follow(kind)
        now = time.monotonic()
        begun = self._begun.setdefault(id(wait), now)
        at, known = self._looks.get(kind, (float("-inf"), {}))
        if at > begun and now - at < FRESH and kind not in self._stale:
            return known
        self._stale.discard(kind)  # before the look: what changes during it is looked at again
        try:
            found = self._client.items(kind.path(self._namespace), labelSelector=self._selector)
        except Refused as refused:
            raise StepFailed(refused.message, hint=refused.hint) from refused
        known = {f["metadata"]["name"]: {"kind": kind.kind, **f} for f in found}
        self._looks[kind] = now, known
        return known

    # Telling

    def progress(self, wait: Wait) -> str | None:
        """How far a wait is, for who looks on."""
        match wait:
            case AwaitRollout():
                _, known = self._looks.get(wait.kind, (0.0, {}))
                workload = known.get(wait.name)
                return progress(workload, wait.stale).text if workload is not None else None
            case AwaitGone(name=None):
                _, known = self._looks.get(wait.kind, (0.0, {}))
                return f"{len(known)} left" if known else None
        return None

    def why_not(self, wait: Wait) -> StepFailed:
        within = f"within {wait.timeout:g}s"
        if isinstance(wait, AwaitRollout):
            workload = self._list(wait.kind, wait).get(wait.name)
            if workload is None:
                return StepFailed(f"{wait.target} was removed by somebody else")
            text = progress(workload, wait.stale).text
            return self._explained(f"{wait.target} is not ready {within}: {text}", wait, workload)
        left = ""
        if isinstance(wait, AwaitGone) and wait.name is None:
            left = ": " + ", ".join(sorted(self._list(wait.kind, wait)))
        return StepFailed(
            f"{wait.target} did not go {within}{left}",
            hint=f"{self._client.kubectl} -n {self._namespace} describe {wait.target} says what "
            "holds it",
        )

    def _refused(self, name: str) -> list[str]:
        """Why a controller could make no pod: a full quota, a profile that it does not fit."""
        try:
            path = EVENT.path(self._namespace)
            found = self._client.items(path, fieldSelector="reason=FailedCreate")
        except Refused:
            return []
        own = [e for e in found if (e.get("involvedObject") or {}).get("name") == name]
        own.sort(key=lambda event: event.get("lastTimestamp") or "")
        return [" ".join(event.get("message", "").split()) for event in own[-1:]]

    def _explained(self, message: str, wait: AwaitRollout, workload: Data) -> StepFailed:
        """With what the pods wait for, and the last lines of the first of them."""
        pods = [
            pod
            for pod in self._list(POD, wait).values()
            if selects(workload, pod) and not is_leaving(pod)
        ]
        found = list(troubles(pods))
        lines = list(_by_reason(found))
        if not pods:
            lines += self._refused(wait.name)
        log = last_lines(self._client, self._namespace, found[0][0]) if found else []
        service = wait.service or wait.name
        said = "\n".join([message, *lines])
        kubectl = f"{self._client.kubectl} -n {self._namespace}"
        return StepFailed(said, hint=advice(said, service=service, kubectl=kubectl), log=log)


def _by_reason(found: Sequence[tuple[Data, str]]) -> Iterator[str]:
    """A line for each reason, with the first pod that has it, and how many more do."""
    names: dict[str, list[str]] = {}
    for pod, why in found:
        names.setdefault(why, []).append(pod["metadata"]["name"])
    for why, having in list(names.items())[:_SHOWN]:
        more = f" and {len(having) - 1} more" if len(having) > 1 else ""
        yield f"{having[0]}{more}: {why}"
