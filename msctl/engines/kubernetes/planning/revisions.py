"""The templates of earlier revisions, as the cluster keeps them: a Deployment's in its ReplicaSets,
a StatefulSet's in its ControllerRevisions. Pure."""

from __future__ import annotations

import json
from typing import Any

from msctl.engines.kubernetes.cluster import Cluster, template_of
from msctl.engines.kubernetes.kinds import RESTARTED, REVISION, Data

_HASH = "pod-template-hash"


def earlier(cluster: Cluster, workload: Data) -> dict[str, Any] | None:
    """The template of the last revision whose pods were others than those of now."""
    uid = workload["metadata"].get("uid")
    kept = [
        found
        for found in cluster.revisions
        if any(o.get("uid") == uid for o in found["metadata"].get("ownerReferences") or ())
    ]
    now = plain_template(template_of(workload))
    for found in sorted(kept, key=_number, reverse=True):
        before = plain_template(_template(found))
        if before != now:
            return before
    return None


def _number(revision: Data) -> int:
    if "revision" in revision:
        return int(revision["revision"])
    marks = revision["metadata"].get("annotations") or {}
    return int(marks.get(REVISION, 0))


def _template(revision: Data) -> Data:
    """Of a ControllerRevision it is a patch, which replaces the whole."""
    if "data" not in revision:
        return template_of(revision)
    found = (revision["data"].get("spec") or {}).get("template") or {}
    return {key: value for key, value in found.items() if key != "$patch"}


def plain_template(template: Data) -> dict[str, Any]:
    """A template without what controllers and restarts have written into it."""
    found: dict[str, Any] = json.loads(json.dumps(template))
    meta = found.setdefault("metadata", {})
    meta.pop("creationTimestamp", None)
    _without(meta, "labels", _HASH)
    _without(meta, "annotations", RESTARTED)
    return found


def _without(meta: dict[str, Any], part: str, key: str) -> None:
    kept = {name: value for name, value in (meta.get(part) or {}).items() if name != key}
    meta.pop(part, None)
    if kept:
        meta[part] = kept
