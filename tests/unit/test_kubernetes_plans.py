"""The pure parts of the Kubernetes engine: what differs, how far a rollout is, what is removed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msctl.engines.kubernetes.api.faults import Refused, conflict, kind_missing, refusal
from msctl.engines.kubernetes.cluster import Cluster, Names
from msctl.engines.kubernetes.desired import as_it_runs
from msctl.engines.kubernetes.kinds import key_of
from msctl.engines.kubernetes.observing.quantity import quantity
from msctl.engines.kubernetes.planning.compare import changes, differs
from msctl.engines.kubernetes.planning.down import plan_down
from msctl.engines.kubernetes.planning.revisions import plain_template
from msctl.engines.kubernetes.planning.up import turns
from msctl.engines.kubernetes.rollouts import given_up, progress
from msctl.errors import EngineUnreachable
from msctl.render.kubernetes import TRAEFIK_CRDS
from msctl.request import Down
from msctl.state import parse_time

Data = dict[str, Any]
NO_NAMES = Names({"web": "web"})


def deployment(spec: Data | None = None, status: Data | None = None, **meta: Any) -> Data:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "generation": 2, **meta},
        "spec": {"replicas": 3, **(spec or {})},
        "status": {"observedGeneration": 2, **(status or {})},
    }


@pytest.mark.parametrize(
    ("text", "number"),
    [("500m", 0.5), ("2", 2.0), ("64Mi", 64 << 20), ("1e3", 1000.0), ("128974848", 128974848.0),
     ("12345n", 12345e-9), ("", None), ("many", None), (None, None)],
)  # fmt: skip
def test_quantities_are_read_as_the_api_writes_them(text: str | None, number: float | None) -> None:
    """A quantity that is none is unknown."""
    found = quantity(text)
    assert found == (pytest.approx(number) if number is not None else None)


def test_changes_name_each_field_and_leave_the_servers_bookkeeping_out() -> None:
    """Lists of named items are compared item by item."""
    live = deployment({"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]})
    wanted = deployment({"env": [{"name": "A", "value": "9"}, {"name": "B", "value": "2"}]})
    wanted["metadata"] |= {"resourceVersion": "7", "managedFields": [{}], "generation": 9}
    assert changes(live, wanted) == ("spec.env[A].value: 1 → 9",)
    assert differs(live, wanted)
    assert not differs(live, deployment(live["spec"], {"replicas": 9}))


@given(st.text(min_size=8), st.text(min_size=8))
def test_no_value_of_a_secret_is_in_its_changes(old: str, new: str) -> None:
    """Whatever it was, whatever it will be."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
    before, after = {**secret, "data": {"p": old}}, {**secret, "data": {"p": new}}
    expected = () if old == new else ("data.p: (secret, changed)",)
    assert changes(before, after) == expected
    gone = changes(before, {**secret})
    assert old not in "".join(gone) or old in "data: (secret, changed) → (nothing)"


@pytest.mark.parametrize(
    ("status", "done", "text"),
    [
        ({"observedGeneration": 1}, False, "not seen by its controller yet"),
        ({"updatedReplicas": 1}, False, "1 of 3 started"),
        (
            {"updatedReplicas": 3, "replicas": 5, "availableReplicas": 3},
            False,
            "3 of 3 ready, 2 old ones to go",
        ),
        (
            {"updatedReplicas": 3, "replicas": 3, "availableReplicas": 2},
            False,
            "2 of 3 ready",
        ),
        (
            {"updatedReplicas": 3, "replicas": 3, "availableReplicas": 3},
            True,
            "3 of 3 ready",
        ),
    ],
)
def test_a_rollout_is_done_when_every_replica_is_new_and_ready(
    status: Data, done: bool, text: str
) -> None:
    """And no old one is left."""
    found = progress(deployment(status=status))
    assert (found.done, found.text) == (done, text)


def test_what_was_given_up_before_does_not_count_again() -> None:
    """A Deployment that is taken back has the condition of its failure until it is through."""
    late = {
        "type": "Progressing",
        "status": "False",
        "reason": "ProgressDeadlineExceeded",
        "message": "has timed out",
        "lastUpdateTime": "2030-01-01T00:00:00Z",
    }
    status = {"updatedReplicas": 3, "replicas": 4, "availableReplicas": 3, "conditions": [late]}
    stuck = deployment(status=status)
    assert progress(stuck).failure == "has timed out"
    assert progress(stuck, given_up(stuck)).failure is None
    again = {**late, "lastUpdateTime": "2030-01-01T00:10:00Z"}
    later = deployment(status={**status, "conditions": [again]})
    assert progress(later, given_up(stuck)).failure == "has timed out"


def test_replicas_of_an_autoscaler_are_left_to_it_unless_we_once_applied_them() -> None:
    """What was applied and is left out would be set back to one by the server."""
    wanted = deployment()
    del wanted["spec"]["replicas"]
    assert as_it_runs(wanted, deployment({"replicas": 5})) == wanted
    fields = {"f:spec": {"f:replicas": {}}}
    entry = {"manager": "msctl", "operation": "Apply", "fieldsV1": fields}
    live = deployment({"replicas": 5}, managedFields=[entry])
    assert as_it_runs(wanted, live)["spec"]["replicas"] == 5


@pytest.mark.parametrize(
    ("surge", "count", "wanted"), [(1, 5, 5), (2, 5, 3), ("50%", 5, 2), ("100%", 4, 1), (0, 2, 2)]
)
def test_a_rollout_takes_as_many_turns_as_its_surge_needs(
    surge: int | str, count: int, wanted: int
) -> None:
    """A percentage is rounded up, as Kubernetes rounds it."""
    workload = deployment({"strategy": {"rollingUpdate": {"maxSurge": surge}}})
    assert turns(workload, count) == wanted


def test_a_template_is_compared_without_marks_of_controllers_and_restarts() -> None:
    """Two templates that differ in these alone are one revision."""
    marked = {
        "metadata": {
            "creationTimestamp": None,
            "labels": {"app": "web", "pod-template-hash": "abc"},
            "annotations": {"kubectl.kubernetes.io/restartedAt": "2030"},
        },
        "spec": {"containers": []},
    }
    plain = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}}
    assert plain_template(marked) == plain_template(plain) == plain


def test_a_namespace_with_volumes_or_strangers_stays() -> None:
    """It would take them along."""
    home = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}}

    def lines(*objects: Data, volumes: bool, strangers: tuple[str, ...] = ()) -> str:
        found = {key_of(thing): thing for thing in objects}
        cluster = Cluster("shop", NO_NAMES, True, found, strangers=strangers)
        return str(plan_down(cluster, Down(volumes=volumes)))

    assert lines(home, claim, volumes=False) == ""
    assert "delete namespace/shop" in lines(home, volumes=False)
    assert "delete namespace/shop after #1" in lines(home, claim, volumes=True)
    assert "namespace" not in lines(home, claim, volumes=True, strangers=("pod/theirs",))


def test_a_conflict_names_each_owner_with_its_fields() -> None:
    """As the API's causes have them."""
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f'conflict with "{who}" using apps/v1',
            "field": f".spec.{field}",
        }
        for who, field in (("kubectl-edit", "paused"), ("argocd", "replicas"), ("argocd", "x"))
    ]
    refused = Refused(409, {"message": "Apply failed", "details": {"causes": causes}})
    assert refused.is_conflict
    assert not refused.is_our_own
    message = conflict("deployment/web", refused, "msctl up").message
    assert "deployment/web is managed by kubectl-edit: .spec.paused" in message
    assert "deployment/web is managed by argocd: .spec.replicas, .spec.x" in message


def test_a_refusal_is_told_by_its_status() -> None:
    """401 is an engine that does not know us; what is no `Status` is told as it is."""
    where = {"address": "https://x", "context": "c"}
    assert isinstance(refusal(401, "{}", **where), EngineUnreachable)
    away = refusal(502, "bad gateway", **where)
    assert isinstance(away, EngineUnreachable)
    assert "cannot answer now (502): bad gateway" in away.message
    assert kind_missing("example.com", "v1").hint is None


def test_a_log_lines_time_may_have_nanoseconds() -> None:
    """Python has microseconds."""
    found = parse_time("2030-01-01T00:00:00.123456789+00:00")
    assert found is not None
    assert found.microsecond == 123456


def test_custom_resources_that_are_too_old_are_told_with_what_renews_them() -> None:
    """The server knows the kind, but not a field that is applied."""
    message = (
        "failed to create typed patch object (shop/web-route; traefik.io/v1alpha1, "
        "Kind=IngressRoute): .spec.ingressClassName: field not declared in schema"
    )
    error = refusal(500, json.dumps({"message": message}), address="https://c", context=None)
    assert error.hint is not None
    assert "older" in error.hint
    assert TRAEFIK_CRDS in error.hint
