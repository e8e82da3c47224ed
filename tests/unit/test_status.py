"""A stack's status: what was observed, held against the stack file."""

from __future__ import annotations

import json
from typing import Any

import pytest
from looks import changed, healthy, kinds, look, stack

from msctl.state import Intent


def test_a_stack_as_it_should_be_is_healthy() -> None:
    """Every replica there, healthy and routed, the job done: no problem but what is left out."""
    status = look(healthy())
    assert status.healthy
    assert kinds(status) == []
    web = status.services[0]
    assert (web.desired, web.running, web.healthy, web.routed) == (2, 2, 2, 2)


def test_the_record_has_exactly_the_fields_of_the_contract() -> None:
    """`status --json` prints these names, and null for what is not known."""
    record = json.loads(json.dumps(look(healthy()).record()))
    assert list(record) == [
        "project", "engine", "healthy", "gateway", "prometheus", "pins", "problems",
        "services",
    ]  # fmt: skip
    assert record["gateway"] == {
        "url": "https://localhost",
        "dashboard": "http://127.0.0.1:8080/dashboard/",
        "healthy": True,
        "image": "an image",
        "entry_points": [
            {"name": "web", "url": "http://localhost"},
            {"name": "websecure", "url": "https://localhost"},
        ],
        "certificate_expires": None,
    }
    web = record["services"][0]
    assert list(web) == [
        "name", "kind", "desired", "running", "healthy", "routed", "image", "rps", "p50_ms",
        "p95_ms", "error_rate", "replicas",
    ]  # fmt: skip
    assert list(web["replicas"][0]) == [
        "name", "id", "number", "image", "state", "health", "last_check", "routed",
        "gateway_status", "address", "cpu_percent", "memory_bytes", "memory_limit_bytes",
        "oom_kills", "restarts", "started_at", "p95_ms",
    ]  # fmt: skip
    assert web["rps"] is None
    assert web["replicas"][0]["restarts"] is None
    assert list(record["problems"][0]) == [
        "severity", "kind", "service", "replica", "message", "hint",
    ]  # fmt: skip


def test_the_gateway_is_only_under_gateway() -> None:
    """It is none of the services, and neither is it missed among them."""
    assert [s.name for s in look(healthy()).services] == [
        "web", "worker", "db", "migrate", "extra",
    ]  # fmt: skip


def test_routed_of_what_has_no_routes_is_unknown() -> None:
    """Null for a service that the gateway does not lead to, and for its replicas."""
    worker = look(healthy()).services[1]
    assert worker.routed is None
    assert worker.replicas[0].routed is None


def test_without_a_health_check_healthy_is_running() -> None:
    """A container that the engine does not check counts as healthy while it runs."""
    assert look(healthy()).services[1].healthy == 1


def test_done_jobs_and_left_out_services_are_not_degraded() -> None:
    """A job that ended well and an optional service without an image are as they should be."""
    status = look(healthy())
    job, extra = status.services[3], status.services[4]
    assert (job.kind, job.desired, job.healthy, job.running) == ("job", 1, 1, 0)
    assert extra.desired == 0
    assert [(p.severity, p.kind) for p in status.problems] == [("info", "left_out")]


def test_a_manual_scale_is_what_is_desired() -> None:
    """The intent wins over the file's initial number, within the file's bounds."""
    intent = Intent("web", 3, "scale", 1, "volume")
    status = look(healthy(), intents=(intent,))
    assert status.services[0].desired == 3
    assert kinds(status) == [("error", "missing", "web")]
    too_many = Intent("web", 9, "scale", 1, "volume")
    assert look(healthy(), intents=(too_many,)).services[0].desired == 5


def test_a_container_that_does_not_run_has_no_address() -> None:
    """Null, not an empty text."""
    stopped = changed(healthy(), "shop-web-2", state="exited", addresses={"shop_backend": ""})
    assert look(stopped).services[0].replicas[1].address is None


def test_one_service_alone_is_judged_alone() -> None:
    """Another service's problem is not in its status; the gateway's is, when it is routed."""
    broken = changed(healthy(), "shop-worker-1", state="exited", exit_code=1)
    status = look(broken)
    assert not status.healthy
    assert status.only("web").healthy
    assert not status.only("worker").healthy
    without_gateway = look(healthy()[1:])
    assert not without_gateway.only("web").healthy
    assert without_gateway.only("db").healthy


@pytest.mark.parametrize(
    ("gateway", "url", "dashboard"),
    [
        ({"https": 8443}, "https://localhost:8443", "http://127.0.0.1:8080/dashboard/"),
        ({"tls": {"mode": "off"}}, "http://localhost", "http://127.0.0.1:8080/dashboard/"),
        ({"https": "10.1.2.3:443", "dashboard": "off"}, "https://10.1.2.3", None),
    ],
    ids=lambda value: str(value),
)
def test_the_gateways_addresses_can_be_opened(
    gateway: dict[str, Any], url: str | None, dashboard: str | None
) -> None:
    """The published port where it is not the scheme's own, localhost for all addresses."""
    found = look(healthy(), of=stack(**gateway)).gateway
    assert found is not None
    assert (found.url, found.dashboard) == (url, dashboard)
