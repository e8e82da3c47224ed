"""What is asked beside the containers: load, certificate, Prometheus, pins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from looks import SERVERS, changed, healthy, kinds, look, observed, replica, stack
from memory.stacks import stack_of

from msctl.assessment import PrometheusStatus, Readings, Status
from msctl.assessment.assess import assess
from msctl.model import Stack
from msctl.state import (
    Certificate,
    Detail,
    GatewayView,
    Replica,
    Traffic,
    Usage,
)

NOW = datetime(2026, 1, 1, 0, 10, tzinfo=UTC)
STARTED = "2026-01-01T00:09:48.123456789Z"


def read(containers: list[Replica], of: Stack | None = None, **readings: Any) -> Status:
    found = Readings(**{"at": NOW, **readings})
    return assess(of or stack(), observed(containers), engine="compose", readings=found)


def test_the_load_is_that_of_each_replica_and_service() -> None:
    """CPU is of the limit, else of all processors; what was not told stays null."""
    limited = Detail(STARTED, 0, False, 0.5, 2**29, None)
    free = Detail(STARTED, 0, False, None, None, None)
    containers = changed(healthy(), "shop-web-1", detail=limited)
    containers = changed(containers, "shop-web-2", detail=free)
    one, two = (c for c in containers if c.service == "web")
    status = read(
        containers,
        usage={one.id: Usage(0.25, 2**20), two.id: Usage(1.0, None)},
        traffic={"web": Traffic(rps=12.5, p50_ms=3.0, p95_ms=40.0, error_rate=0.5)},
    )
    web = status.services[0]
    assert (web.rps, web.p50_ms, web.p95_ms, web.error_rate) == (12.5, 3.0, 40.0, 0.5)
    assert [r.cpu_percent for r in web.replicas] == [50.0, 25.0]
    assert [r.memory_bytes for r in web.replicas] == [2**20, None]
    worker = status.services[1]
    assert (worker.rps, worker.replicas[0].cpu_percent) == (None, None)


@pytest.mark.parametrize(
    ("restarts", "started", "flaps"),
    [
        pytest.param(3, STARTED, True, id="again and again"),
        pytest.param(2, STARTED, False, id="twice may happen"),
        pytest.param(9, "2025-12-31T00:00:00Z", False, id="long ago"),
    ],
)
def test_a_container_that_flaps_is_named(restarts: int, started: str, flaps: bool) -> None:
    """It runs, and may be healthy, but not for long."""
    detail = Detail(started, restarts, False, None, None, None)
    status = read(changed(healthy(), "shop-web-1", detail=detail))
    assert kinds(status) == ([("warning", "flapping", "web")] if flaps else [])
    if flaps:
        [problem] = [problem for problem in status.problems if problem.kind == "flapping"]
        assert "3 times, 11 s ago" in problem.message
        assert problem.replica == "shop-web-1"


def test_a_replica_that_a_pin_keeps_out_is_named() -> None:
    """Where no msctl is at work, one was interrupted: up makes it anew."""
    servers = {"web-a@file": {"http://10.0.0.1:8000": "UP"}}
    status = look(healthy(), view=GatewayView("http://127.0.0.1:8080", servers=servers))
    (problem,) = (found for found in status.problems if found.kind == "not_routed")
    assert problem.message == (
        "shop-web-2 is healthy but gets no requests: a pin keeps them from it"
    )
    assert problem.hint == "msctl up web"


def test_a_pin_that_leads_to_another_service_is_an_error() -> None:
    """The engine was restarted and gave out addresses anew: requests go astray."""
    worker = replica("worker", addresses={"shop_backend": "10.0.0.9"})
    servers = {"web-a@file": {"http://10.0.0.9:8000": "UP"}}
    containers = [worker if c.service == "worker" else c for c in healthy()]
    status = look(containers, view=GatewayView("http://127.0.0.1:8080", servers=servers))
    (problem,) = (p for p in status.problems if (p.severity, p.kind) == ("error", "pin"))
    assert problem.message == (
        "a pin of web from before the engine restarted leads to shop-worker-1"
    )
    assert problem.hint == "msctl up web"


@pytest.mark.parametrize("pinned", [False, True])
def test_labels_that_disagree_are_named(pinned: bool) -> None:
    """The gateway drops such a service; while a pin holds it, it is only a warning."""
    containers = changed(healthy(), "shop-web-1", routing={"traefik.enable": "true"})
    containers = changed(containers, "shop-web-2", routing={"traefik.enable": "false"})
    servers = {**SERVERS, **({"web-a@file": {}} if pinned else {})}
    view = GatewayView("http://127.0.0.1:8080", servers=servers)
    status = assess(stack(), observed(containers, view=view), engine="compose")
    [problem] = [problem for problem in status.problems if problem.kind == "labels"]
    assert problem.severity == ("warning" if pinned else "error")


@pytest.mark.parametrize(
    ("certificate", "severity"),
    [
        (Certificate(NOW + timedelta(days=90)), None),
        (Certificate(NOW + timedelta(days=3)), "warning"),
        (Certificate(None, expired=True), "error"),
    ],
)
def test_a_certificate_that_ends_soon_is_named(
    certificate: Certificate, severity: str | None
) -> None:
    """Two weeks before it does, and when it has."""
    status = read(healthy(), certificate=certificate)
    found = [p.severity for p in status.problems if p.kind == "certificate"]
    assert found == ([severity] if severity else [])
    assert status.gateway is not None
    wanted = certificate.expires.isoformat() if certificate.expires else None
    assert status.gateway.certificate_expires == wanted


def test_a_prometheus_that_does_not_answer_is_a_problem_where_the_stack_has_one() -> None:
    """Elsewhere nobody has promised it."""
    silent = PrometheusStatus("http://127.0.0.1:9090", reachable=False)
    assert kinds(read(healthy(), prometheus=silent)) == []
    named = stack_of({"prometheus": {}})
    status = read([replica("prometheus")], named, prometheus=silent)
    assert [p.message for p in status.problems if p.kind == "prometheus"] == [
        "Prometheus does not answer at http://127.0.0.1:9090"
    ]
