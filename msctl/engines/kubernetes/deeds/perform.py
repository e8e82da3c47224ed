"""Does one step in a cluster. Each can be done again: what is done already changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from msctl.engines.kubernetes.api.client import APPLY, MERGE, Client
from msctl.engines.kubernetes.api.faults import MISSING, Refused, conflict
from msctl.engines.kubernetes.kinds import MANAGER, RESTARTED, Kind, kind_of
from msctl.engines.kubernetes.steps import (
    ApplyObject,
    DeleteObject,
    RestartWorkload,
    ScaleWorkload,
    TakeBackRestart,
)
from msctl.engines.secretfiles import write_secret
from msctl.engines.secretsteps import WriteSecret
from msctl.errors import StepFailed
from msctl.plan import Step


def now() -> datetime:
    return datetime.now(UTC)


class Performer:
    """Steps in one namespace; used by several threads at once."""

    def __init__(self, client: Client, namespace: str, clock: Callable[[], datetime] = now) -> None:
        self._client = client
        self._namespace = namespace
        self._clock = clock

    def perform(self, step: Step) -> None:
        """Do it.

        Raises:
            StepFailed: it cannot be done; with the server's reason.
        """
        try:
            match step:
                case WriteSecret():
                    write_secret(step)
                case ApplyObject():
                    self._apply(step)
                case ScaleWorkload():
                    self._scale(step)
                case RestartWorkload():
                    self._restart(step)
                case TakeBackRestart():
                    self._mark(step.kind, step.name, step.stamp)
                case DeleteObject():
                    self._delete(step)
                case _:
                    raise TypeError(f"cannot do {type(step).__name__}")
        except Refused as refused:
            raise StepFailed(
                f"cannot {step.verb} {step.target}: {refused.message}", hint=refused.hint
            ) from refused

    def _apply(self, step: ApplyObject) -> None:
        """A conflict with others ends it; with what msctl wrote in another way, it does not."""
        try:
            self._patch_applied(step, force=step.force)
        except Refused as refused:
            if refused.is_our_own:
                self._patch_applied(step, force=True)
            elif refused.is_conflict:
                kubectl = f"{self._client.kubectl} -n {self._namespace}"
                told = conflict(step.target, refused, "the command", kubectl)
                raise StepFailed(told.message, hint=told.hint) from refused
            else:
                raise

    def _patch_applied(self, step: ApplyObject, *, force: bool) -> None:
        query = {"fieldManager": MANAGER, "force": str(force).lower()}
        path = kind_of(step.body).path(self._namespace, step.body["metadata"]["name"])
        self._client.call("PATCH", path, query, step.body, APPLY)

    def _scale(self, step: ScaleWorkload) -> None:
        body = {"spec": {"replicas": step.replicas}}
        self._merge(step.kind, f"{step.name}/scale", body)

    def _restart(self, step: RestartWorkload) -> None:
        self._mark(step.kind, step.name, self._clock().isoformat(timespec="seconds"))

    def _mark(self, kind: Kind, name: str, stamp: str | None) -> None:
        """The annotation that makes the pods others than they were; None takes it away."""
        template = {"metadata": {"annotations": {RESTARTED: stamp}}}
        self._merge(kind, name, {"spec": {"template": template}})

    def _merge(self, kind: Kind, name: str, body: object) -> None:
        path = kind.path(self._namespace, name)
        self._client.call("PATCH", path, {"fieldManager": MANAGER}, body, MERGE)

    def _delete(self, step: DeleteObject) -> None:
        path = step.kind.path(self._namespace, step.name)
        try:
            self._client.call("DELETE", path, {"propagationPolicy": "Background"})
        except Refused as refused:
            if refused.status != MISSING:
                raise
