"""Asks a cluster what applying objects would do; changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from msctl.engines.kubernetes.api.client import APPLY, Client
from msctl.engines.kubernetes.api.faults import (
    FORBIDDEN,
    INVALID,
    MISSING,
    Refused,
    conflict,
    kind_missing,
    messages,
)
from msctl.engines.kubernetes.cluster import Answer, Cluster
from msctl.engines.kubernetes.kinds import (
    JOB,
    MANAGER,
    SERVICE,
    STATEFUL_SET,
    Data,
    Key,
    Kind,
    is_built_in,
    key_of,
    kind_of,
    labels_of,
)
from msctl.engines.kubernetes.observing.observe import PARALLEL
from msctl.errors import MsctlError
from msctl.render.kubernetes.names import INSTANCE, MANAGED_BY


class Asker:
    """Asks about the objects of one stack in one namespace."""

    def __init__(self, client: Client, stack: str, namespace: str) -> None:
        self._client = client
        self._stack = stack
        self.namespace = namespace

    @property
    def _kubectl(self) -> str:
        return f"{self._client.kubectl} -n {self.namespace}"

    def ask(self, cluster: Cluster, objects: Sequence[Data], again: str) -> list[Answer]:
        """Apply each object in a server-side dry run.

        Raises:
            KindMissing: the cluster does not know a kind.
            MsctlError: a conflict, or what the server refuses; nothing was changed.
        """
        if cluster.leaving:
            raise MsctlError(
                f"namespace {self.namespace} is being removed: nothing can be made in it",
                hint=f"{self._client.kubectl} wait --for=delete namespace/{self.namespace} "
                f"--timeout=300s, then {again}",
            )
        self._check_kinds({kind_of(thing) for thing in objects})
        with ThreadPoolExecutor(PARALLEL, thread_name_prefix="msctl-ask") as pool:
            found = list(pool.map(lambda o: _caught(self._answer, cluster, o, again), objects))
        if faults := [f for f in found if isinstance(f, MsctlError)]:
            raise _together(faults)
        return [f for f in found if isinstance(f, Answer)]

    def _check_kinds(self, kinds: set[Kind]) -> None:
        for group, version in sorted({(k.group, k.version) for k in kinds}):
            if is_built_in(group):
                continue
            try:
                self._client.get(f"/apis/{group}/{version}")
            except Refused as refused:
                if refused.status == MISSING:
                    raise kind_missing(group, version, self._client.kubectl) from refused
                raise

    def _answer(self, cluster: Cluster, wanted: Data, again: str) -> Answer:
        kind, key = kind_of(wanted), key_of(wanted)
        if kind.namespaced and not cluster.exists:
            return Answer(wanted, None, None)
        live = cluster.objects.get(key) or self._get(kind, key.name)
        if live is not None and labels_of(live).get(INSTANCE) != self._stack:
            raise MsctlError(
                f"{key} is there already, and msctl did not make it for {self._stack}",
                hint=f"rename it in the stack file, or hand it over: "
                f"{self._kubectl} "
                f"label {key} {MANAGED_BY}={MANAGER} {INSTANCE}={self._stack} --overwrite",
            )
        try:
            return Answer(wanted, live, self._dry_run(kind, wanted))
        except Refused as refused:
            if refused.is_our_own:
                return Answer(wanted, live, self._dry_run(kind, wanted, force=True), force=True)
            if refused.is_conflict:
                raise conflict(str(key), refused, again, self._kubectl) from refused
            if refused.status == INVALID and live is not None:
                if kind == JOB and "immutable" in refused.message:
                    return Answer(wanted, live, None, immutable=refused)
                raise explained(key, refused, self._in_place_of(kind, key)) from refused
            raise explained(key, refused) from refused

    def _in_place_of(self, kind: Kind, key: Key) -> str | None:
        """What makes room for an object whose fields cannot be changed."""
        if kind not in (STATEFUL_SET, SERVICE):
            return None
        kept = " --cascade=orphan" if kind == STATEFUL_SET else ""
        why = "its pod and its volumes stay" if kept else "it is not reached for a moment"
        return (
            f"what cannot be changed in place is made anew: {self._kubectl} delete {key}{kept} "
            f"({why}), then msctl up"
        )

    def _dry_run(self, kind: Kind, wanted: Data, *, force: bool = False) -> Data:
        path = kind.path(self.namespace, wanted["metadata"]["name"])
        query = {"fieldManager": MANAGER, "force": str(force).lower(), "dryRun": "All"}
        found = self._client.call("PATCH", path, query, wanted, APPLY)
        return {"apiVersion": kind.api_version, "kind": kind.kind, **found}

    def _get(self, kind: Kind, name: str) -> Data | None:
        try:
            found = self._client.get(kind.path(self.namespace, name))
        except Refused as refused:
            if refused.status == MISSING:
                return None
            raise
        return {"apiVersion": kind.api_version, "kind": kind.kind, **found}


def explained(key: Key, refused: Refused, hint: str | None = None) -> Refused:
    """A refusal that says of which object it is."""
    if refused.status == FORBIDDEN:
        return refused
    body = {"message": refused.text, "reason": refused.reason, "details": refused.details}
    return Refused(refused.status, body, hint=hint or refused.hint, of=str(key))


def _caught(
    ask: Callable[[Cluster, Data, str], Answer], cluster: Cluster, wanted: Data, again: str
) -> Answer | MsctlError:
    try:
        return ask(cluster, wanted, again)
    except Refused as refused:
        return refused
    except MsctlError as error:
        if error.exit_status != MsctlError.exit_status:
            raise  # the server is away: there is nothing more to ask
        return error


def _together(faults: Sequence[MsctlError]) -> MsctlError:
    """All that stands in the way, at once; nothing was changed."""
    hint = next((fault.hint for fault in faults if fault.hint), None)
    return MsctlError(f"{messages(faults)}\nnothing was changed", hint=hint)
