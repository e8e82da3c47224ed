"""Services that do not come up, and jobs."""

from __future__ import annotations

import json

import pytest
from live import Stack, service

pytestmark = pytest.mark.engine


def test_exits_at_once(stack: Stack) -> None:
    """A container that ends at once fails `up` with 1: which one, its status and last log lines,
    what was left running, and what was not tried."""
    broken = service(entrypoint=["sh", "-c", "echo no database given; exit 7"], restart="no")
    stack.write({"db": service(), "broken": broken, "web": service(needs=["broken"])})
    result = stack.msctl("up")
    assert result.status == 1, result
    assert f"{stack.project}-broken-1 ended with status 7" in result.err
    assert "no database given" in result.err
    assert "left running: db (1 healthy)" in result.err
    assert f"start {stack.project}-web-1" not in result.err
    assert stack.msctl("status").status == 1


def test_keeps_ending(stack: Stack) -> None:
    """A container that its engine restarts again and again is given up after a few deaths, long
    before the deadline."""
    broken = service(entrypoint=["sh", "-c", "echo again; exit 1"], restart="on-failure:10")
    stack.write({"broken": broken})
    result = stack.msctl("up", "--timeout", "60")
    assert result.status == 1, result
    assert f"{stack.project}-broken-1 ended with status 1" in result.err
    assert "again" in result.err


def test_never_healthy(stack: Stack) -> None:
    """A replica that is not healthy within `rollout.health_timeout` fails `up` with 1 and is left
    running; the next `up`, with the cause mended, ends well."""
    sick = service(env={"MISBEHAVE": "health-fail"}, rollout={"health_timeout": "2s"})
    stack.write({"web": sick, "shop": service(needs=["web"])})
    result = stack.msctl("up")
    assert result.status == 1, result
    assert f"{stack.project}-web-1 did not become healthy within 2s" in result.err
    assert "left running: web (0 of 1 healthy)" in result.err
    assert f"start {stack.project}-shop-1" not in result.err
    status = json.loads(stack.msctl("status", "--json").out)
    kinds = {p["service"]: p["kind"] for p in status["problems"] if p["severity"] == "error"}
    assert kinds["web"] in ("unhealthy", "starting")
    stack.write({"web": service(), "shop": service(needs=["web"])})
    stack.ok("up")
    stack.ok("status")


def test_failed_update_keeps_serving(stack: Stack) -> None:
    """When a new revision does not become healthy, the old replica goes on answering."""
    stack.write({"web": service("/", env={"SERVICE_NAME": "old"})})
    stack.ok("up")
    sick = {"SERVICE_NAME": "new", "MISBEHAVE": "health-fail"}
    stack.write({"web": service("/", env=sick, rollout={"health_timeout": "2s"})})
    result = stack.msctl("up")
    assert result.status == 1, result
    assert "did not become healthy" in result.err
    assert {stack.visitor.echo("/")["service"] for _ in range(4)} == {"old"}
    stack.write({"web": service("/", env={"SERVICE_NAME": "new"})})
    stack.ok("up")
    assert {stack.visitor.echo("/")["service"] for _ in range(4)} == {"new"}
    assert len(stack.ids("web")) == 1


def _job(script: str) -> dict[str, object]:
    return service(entrypoint=["sh", "-c", script], job=True, port=None, health=None, restart="no")


def test_job_runs_once(stack: Stack) -> None:
    """A job runs to success before what needs it starts; a later `up` does not run it again, and
    that it is done is not degraded."""
    stack.write({"migrate": _job("echo migrated"), "web": service(needs=["migrate"])})
    stack.ok("up")
    job, web = (stack.inspect(f"{stack.project}-{name}-1") for name in ("migrate", "web"))
    assert job["State"]["ExitCode"] == 0
    assert job["State"]["FinishedAt"] <= web["State"]["StartedAt"]
    assert "nothing to do" in stack.ok("up").err
    assert stack.inspect(f"{stack.project}-migrate-1")["State"] == job["State"]
    stack.ok("status")


def test_failing_job(stack: Stack) -> None:
    """A job that fails ends `up` with 1, its status and its last lines; what needs it does not
    start until a later `up` has run it with success."""
    stack.write({"migrate": _job("echo no table; exit 4"), "web": service(needs=["migrate"])})
    result = stack.msctl("up")
    assert result.status == 1, result
    assert f"job {stack.project}-migrate-1 failed with status 4" in result.err
    assert "no table" in result.err
    running = [row for row in stack.rows() if row["State"] == "running"]
    assert running == []
    stack.write({"migrate": _job("echo migrated"), "web": service(needs=["migrate"])})
    stack.ok("up")
    stack.ok("status")
