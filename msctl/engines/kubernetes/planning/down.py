"""The plan that removes what is ours from a cluster. Pure."""

from __future__ import annotations

from msctl.engines.kubernetes.cluster import Cluster
from msctl.engines.kubernetes.kinds import (
    APPLIED,
    CLAIM,
    NAMESPACE,
    POD,
    Data,
    Kind,
    is_workload,
    key_of,
)
from msctl.engines.kubernetes.steps import AwaitGone, DeleteObject
from msctl.plan import Draft, Plan
from msctl.request import Down

PATIENCE = 120.0
"""Seconds in which the namespace has to be gone, and all pods after their grace period."""


def plan_down(cluster: Cluster, request: Down) -> Plan:
    """Workloads first, what they use when their pods are gone, the namespace last.

    Volumes stay unless they are asked for; the namespace stays with them, and where others have
    something in it.
    """
    draft = Draft()
    first, then = list[int](), list[int]()
    for kind in reversed(APPLIED):
        if kind in (NAMESPACE, CLAIM):
            continue
        for live in cluster.of(kind):
            if is_workload(live):
                first.append(draft.add(_delete(cluster, kind, live)))
    if cluster.pods or first:
        graces = [pod["spec"].get("terminationGracePeriodSeconds") or 0 for pod in cluster.pods]
        patience = PATIENCE + max(graces, default=0)
        wait = AwaitGone(target="pods", kind=POD, name=None, timeout=patience)
        then = [draft.add(wait, first)]
    last = list(then)
    for kind in reversed(APPLIED):
        if kind == NAMESPACE or (kind == CLAIM and not request.volumes):
            continue
        for live in cluster.of(kind):
            if not is_workload(live):
                last.append(draft.add(_delete(cluster, kind, live), then))
    home = cluster.get(NAMESPACE, cluster.namespace)
    if home is None:
        return draft.plan()
    if cluster.claims and not request.volumes:
        return draft.plan()
    if cluster.strangers:
        named = ", ".join(cluster.strangers[:5])
        draft.note(
            f"namespace {cluster.namespace} stays: msctl did not make all that is in it ({named})"
        )
        return draft.plan()
    gone = draft.add(_delete(cluster, NAMESPACE, home), last)
    wait = AwaitGone(
        target=f"namespace/{cluster.namespace}",
        kind=NAMESPACE,
        name=cluster.namespace,
        timeout=PATIENCE,
    )
    draft.add(wait, [gone])
    return draft.plan()


def _delete(cluster: Cluster, kind: Kind, live: Data) -> DeleteObject:
    key = key_of(live)
    return DeleteObject(target=str(key), service=cluster.service_of(live), kind=kind, name=key.name)
