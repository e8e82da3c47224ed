"""A stack's status: what was observed, held against the stack file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from memory.stacks import stack_of

from msctl.config import load_text
from msctl.model import Stack
from msctl.problem import Problem
from msctl.state import (
    Certificate,
    Detail,
    EngineInfo,
    GatewayView,
    Health,
    ImageState,
    Intent,
    Replica,
    StackState,
    Traffic,
    Usage,
)
from msctl.status import PrometheusStatus, Readings, Status, assess

STACK = """
name: shop
services:
  web:
    image: shop/web:1
    port: 8000
    routes: [{path: /api}]
    replicas: {initial: 2, min: 1, max: 5}
    health: {path: /health}
    needs: [db, migrate]
  worker: {image: shop/worker:1}
  db: {image: "postgres:15", stateful: true}
  migrate: {image: shop/web:1, job: true, needs: [db]}
  extra: {image: mongo:7, optional: true}
"""
SERVERS = {"web@docker": {"http://10.0.0.1:8000": "UP", "http://10.0.0.2:8000": "UP"}}
IMAGES = ("traefik:v3.7", "shop/web:1", "shop/worker:1", "postgres:15")


def stack(**gateway: Any) -> Stack:
    text = f"{STACK}gateway: {json.dumps({'socket_proxy': 'off', **gateway})}\n"
    return load_text(text, name="stack.yaml", environ={})


def replica(service: str, number: int = 1, **changes: Any) -> Replica:
    found: dict[str, Any] = {
        "id": f"{service}{number}",
        "name": f"shop-{service}-{number}",
        "service": service,
        "number": number,
        "state": "running",
        "health": Health.HEALTHY if service in ("web", "traefik") else Health.NONE,
        "image": "an image",
        "image_id": "",
        "config_hash": f"hash of {service}",
        "revision": "{}",
        "files": None,
        "ours": True,
        "working_dir": "/srv/shop",
        "addresses": {"shop_backend": f"10.0.0.{number}"},
    }
    return Replica(**{**found, **changes})


def healthy() -> list[Replica]:
    """Every container of a stack that is as it should be."""
    done = replica("migrate", state="exited", exit_code=0, addresses={})
    web = [replica("web", 1), replica("web", 2)]
    return [replica("traefik"), *web, replica("worker"), replica("db"), done]


def observed(
    containers: list[Replica],
    *,
    view: GatewayView | None = None,
    stand_ins: tuple[str, ...] = (),
    intents: tuple[Intent, ...] = (),
) -> StackState:
    return StackState(
        project="shop",
        engine=EngineInfo("id", "28.0", (1, 51), 4, 2**34, "unix:///docker.sock"),
        containers=tuple(containers),
        networks={},
        volumes={},
        images={name: ImageState("", name in stand_ins) for name in IMAGES},
        intents=intents,
        gateway=view or GatewayView("http://127.0.0.1:8080", servers=SERVERS),
    )


def look(containers: list[Replica], *, of: Stack | None = None, **more: Any) -> Status:
    hashes: Mapping[str, str] | None = more.pop("hashes", None)
    folder = more.pop("folder", "/srv/shop")
    state = observed(containers, **more)
    return assess(of or stack(), state, engine="compose", hashes=hashes, folder=folder)


def kinds(status: Status) -> list[tuple[str, str, str | None]]:
    return [(p.severity, p.kind, p.service) for p in status.problems if p.kind != "left_out"]


def changed(containers: list[Replica], name: str, **changes: Any) -> list[Replica]:
    """The containers, with one of them different."""
    old = next(c for c in containers if c.name == name)
    new = replica(old.service, old.number, **changes)
    return [new if c is old else c for c in containers]


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
    """For information: a service runs an image that was built in place of the official one."""
    status = look(healthy(), stand_ins=("traefik:v3.7", "postgres:15"))
    assert status.healthy
    assert kinds(status) == [("info", "stand_in", "traefik"), ("info", "stand_in", "db")]


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


def test_a_container_that_does_not_run_has_no_address() -> None:
    """Null, not an empty text."""
    stopped = changed(healthy(), "shop-web-2", state="exited", addresses={"shop_backend": ""})
    assert look(stopped).services[0].replicas[1].address is None


def test_problems_are_sorted_the_worst_first() -> None:
    """Errors before warnings before information."""
    containers = changed(healthy(), "shop-web-2", state="exited", exit_code=1, addresses={})
    containers += [replica("gone")]
    status = look(containers, stand_ins=("postgres:15",))
    assert [p.severity for p in status.problems] == ["error", "warning", "info", "info"]


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


def test_hints_lead_to_the_same_stack() -> None:
    """Options that chose the stack are part of the command to type."""
    status = assess(stack(), observed([]), engine="compose", again="msctl -f x.yaml {}".format)
    missing = Problem(
        "error", "missing", "worker", None, "worker is not there", "msctl -f x.yaml up worker"
    )
    assert missing in status.problems


# What was asked beside

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
