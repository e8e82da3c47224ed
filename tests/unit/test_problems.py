"""What is wrong with a stack, and what to type about it."""

from __future__ import annotations

from typing import Any

import pytest
from looks import changed, healthy, kinds, look, observed, replica, stack

from msctl.assessment.assess import assess
from msctl.assessment.problem import Problem
from msctl.config import load_text
from msctl.state import (
    Detail,
    GatewayView,
    Health,
)

CASES: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "shop-web-2",
        {"state": "exited", "exit_code": 0, "addresses": {}},
        "error exited: shop-web-2 has ended with exit status 0",
        "msctl up web",
    ),
    (
        "shop-web-2",
        {"state": "exited", "exit_code": 137, "addresses": {"shop_backend": ""}},
        "error exited: shop-web-2 has ended with exit status 137",
        "msctl logs web",
    ),
    (
        "shop-web-2",
        {"state": "restarting", "addresses": {}},
        "error restarting: shop-web-2 ends again and again",
        "msctl logs web",
    ),
    (
        "shop-web-2",
        {"state": "created", "addresses": {}},
        "error created: shop-web-2 was never started",
        "msctl up web",
    ),
    (
        "shop-web-2",
        {"state": "paused", "addresses": {}},
        "error paused: shop-web-2 is paused",
        "msctl up web",
    ),
    (
        "shop-web-2",
        {"health": Health.STARTING, "addresses": {}},
        "error starting: shop-web-2 is not healthy yet",
        "msctl status --watch",
    ),
    (
        "shop-web-2",
        {"addresses": {"shop_backend": "10.0.0.9"}},
        "error not_routed: shop-web-2 is healthy but gets no requests: the gateway does not list "
        "it",
        "msctl logs traefik",
    ),
    (
        "shop-migrate-1",
        {"state": "exited", "exit_code": 3, "addresses": {}},
        "error exited: shop-migrate-1 has ended with exit status 3",
        "msctl logs migrate",
    ),
    (
        "shop-traefik-1",
        {"health": Health.UNHEALTHY},
        "error gateway_down: shop-traefik-1 is unhealthy",
        "msctl logs traefik",
    ),
    (
        "shop-web-2",
        {"detail": Detail(None, 0, True, None, 2**29, None)},
        "warning oom: shop-web-2 ran out of memory",
        "raise services.web.resources.memory in the stack file",
    ),
    (
        "shop-worker-1",
        {"image_id": "older"},
        "warning outdated: shop-worker-1 runs an older image than shop/worker:1 is now",
        "msctl up worker",
    ),
    (
        "shop-worker-1",
        {"image": "sha256:01d", "image_id": "sha256:01d"},
        "warning outdated: shop-worker-1 runs an older image than shop/worker:1 is now",
        "msctl up worker",
    ),
]


@pytest.mark.parametrize(("name", "changes", "message", "hint"), CASES, ids=lambda v: str(v)[:40])
def test_what_is_wrong_with_a_replica_is_told(
    name: str, changes: dict[str, Any], message: str, hint: str
) -> None:
    """Each trouble of a container is one problem that says what, and what to type next."""
    found = [p for p in look(changed(healthy(), name, **changes)).problems if p.kind != "left_out"]
    assert [f"{p.severity} {p.kind}: {p.message}" for p in found] == [message]
    assert found[0].hint == hint
    assert found[0].replica == name


def test_a_paused_replica_that_gets_requests_is_not_only_looked_at() -> None:
    """The same command mends both."""
    found = look(changed(healthy(), "shop-web-2", state="paused")).problems
    hints = {p.kind: p.hint for p in found if p.severity == "error"}
    assert hints == {"paused": "msctl up web", "routed_unhealthy": "msctl up web"}


def test_an_unhealthy_replica_tells_its_last_check() -> None:
    """The output of the last check is in the message; that it still gets requests is told too."""
    detail = Detail("2026-01-01T00:00:00Z", 2, False, None, None, "connection refused")
    sick = changed(healthy(), "shop-web-2", health=Health.UNHEALTHY, detail=detail)
    status = look(sick)
    assert not status.healthy
    assert [p.message for p in status.problems if p.severity == "error"] == [
        "shop-web-2 fails its health check: connection refused",
        "shop-web-2 is unhealthy but gets requests",
    ]
    assert status.services[0].healthy == 1
    shown = status.services[0].replicas[1]
    assert (shown.restarts, shown.last_check, shown.oom_kills) == (2, "connection refused", 0)


def test_a_replica_that_the_gateway_calls_down_is_told() -> None:
    """Healthy for the engine, DOWN for the gateway: no requests, and a problem."""
    servers = {"web@docker": {"http://10.0.0.1:8000": "UP", "http://10.0.0.2:8000": "DOWN"}}
    status = look(healthy(), view=GatewayView("http://gateway", servers=servers))
    assert kinds(status) == [("error", "not_routed", "web")]
    assert status.services[0].routed == 1
    assert status.services[0].replicas[1].gateway_status == "DOWN"


def test_a_replica_made_with_another_port_is_found_at_the_gateway() -> None:
    """Its address decides, since the file may have been edited since."""
    servers = {"web@docker": {"http://10.0.0.1:7000": "UP", "http://10.0.0.2:8000": "UP"}}
    assert look(healthy(), view=GatewayView("http://gateway", servers=servers)).healthy


def test_a_gateway_that_does_not_answer_is_the_problem() -> None:
    """What it would have told is unknown, not wrong."""
    status = look(healthy(), view=GatewayView("http://gateway", error="refused"))
    assert kinds(status) == [("error", "gateway_api", "traefik")]
    assert status.gateway is not None
    assert not status.gateway.healthy
    assert status.services[0].routed is None
    assert status.services[0].replicas[0].routed is None


def test_a_missing_gateway_is_told() -> None:
    """Without its container, nothing is reached: degraded."""
    view = GatewayView("http://gateway", error="not running", running=False)
    status = look(healthy()[1:], view=view)
    assert kinds(status) == [("error", "gateway_down", "traefik")]


def test_a_stack_without_routes_has_no_gateway() -> None:
    """`gateway` is null, and its absence no problem."""
    text = "name: shop\nservices: {worker: {image: a}}\n"
    alone = load_text(text, name="stack.yaml", environ={})
    status = look([replica("worker")], of=alone)
    assert status.gateway is None
    assert status.healthy


def test_nothing_there_is_degraded() -> None:
    """Every service that shall run is missed; the job has not run."""
    status = look([])
    assert kinds(status) == [
        ("error", "gateway_down", "traefik"),
        ("error", "missing", "web"),
        ("error", "missing", "worker"),
        ("error", "missing", "db"),
        ("error", "missing", "migrate"),
    ]


def test_too_many_replicas_are_a_warning() -> None:
    """They serve, so nothing is degraded."""
    servers = {"web@docker": {f"http://10.0.0.{n}:8000": "UP" for n in (1, 2, 3)}}
    view = GatewayView("http://gateway", servers=servers)
    status = look([*healthy(), replica("web", 3)], view=view)
    assert status.healthy
    assert kinds(status) == [("warning", "surplus", "web")]


def test_another_configuration_than_the_files_is_a_warning() -> None:
    """Only where the file's hash is handed in, and the container carries one."""
    hashes = {name: f"hash of {name}" for name in ("traefik", "web", "db")}
    assert kinds(look(healthy(), hashes=hashes)) == []
    edited = look(healthy(), hashes={**hashes, "web": "another"})
    assert edited.healthy
    assert kinds(edited) == [("warning", "outdated", "web")] * 2


def test_stand_ins_are_named() -> None:
    """For information, where a service runs what was built in place of the official image."""
    status = look(healthy(), stand_ins=("traefik:v3.7", "postgres:15"))
    assert status.healthy
    assert kinds(status) == [("info", "stand_in", "traefik"), ("info", "stand_in", "db")]
    away = look([], stand_ins=("traefik:v3.7", "postgres:15"))
    assert "stand_in" not in {problem.kind for problem in away.problems}


def test_strangers_in_the_project_are_named() -> None:
    """What is foreign, what left the file, and what another folder made: warnings."""
    foreign = replica("other", ours=False)
    left = replica("gone")
    status = look([*healthy(), foreign, left], folder="/elsewhere")
    assert status.healthy
    assert [(p.kind, p.replica) for p in status.problems if p.severity == "warning"] == [
        ("left_file", "shop-gone-1"),
        ("foreign", "shop-other-1"),
        ("working_dir", None),
    ]


def test_one_off_containers_are_nobodys_replicas() -> None:
    """`docker compose run` makes containers that do not count."""
    assert len(look([*healthy(), replica("web", 9, oneoff=True)]).services[0].replicas) == 2


def test_problems_are_sorted_the_worst_first() -> None:
    """Errors before warnings before information."""
    containers = changed(healthy(), "shop-web-2", state="exited", exit_code=1, addresses={})
    containers += [replica("gone")]
    status = look(containers, stand_ins=("postgres:15",))
    assert [p.severity for p in status.problems] == ["error", "warning", "info", "info"]


def test_hints_lead_to_the_same_stack() -> None:
    """Options that chose the stack are part of the command to type."""
    status = assess(stack(), observed([]), engine="compose", again="msctl -f x.yaml {}".format)
    missing = Problem(
        "error", "missing", "worker", None, "worker is not there", "msctl -f x.yaml up worker"
    )
    assert missing in status.problems
