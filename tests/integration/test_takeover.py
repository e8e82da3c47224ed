"""A stack that Docker Compose started is msctl's, and the other way round."""

from __future__ import annotations

import json

import pytest
from live import Stack, service

pytestmark = pytest.mark.engine


@pytest.fixture
def rendered(stack: Stack) -> Stack:
    """A stack whose Compose file is rendered, and of which nothing is up."""
    web = service(
        "/",
        replicas={"initial": 2, "max": 5},
        needs=["db"],
        resources={"cpus": 0.5, "memory": "128M"},
        sticky="shop",
        volumes=["files:/files", "./static:/static:ro"],
        secrets=["token"],
        labels={"team": "a & b <c>"},
    )
    (stack.folder / "static").mkdir()
    stack.write({"db": service(stateful=True, volumes=["data:/data"]), "web": web})
    stack.ok("render", "compose", "-o", "docker-compose.yml")
    secrets = stack.folder / ".msctl" / "secrets"
    secrets.mkdir(mode=0o700, parents=True)
    (secrets / "token").write_text("a-token-of-mine")
    return stack


def test_taken_over(rendered: Stack) -> None:
    """`msctl up` on what `docker compose up -d` started replaces nothing, has nothing to do, and
    every other command works on it too."""
    rendered.compose("up", "-d", "--wait")
    before = rendered.ids()
    assert len(before) == 5
    assert "nothing to do" in rendered.ok("up").err
    assert rendered.ids() == before
    status = json.loads(rendered.ok("status", "--json").out)
    assert [p for p in status["problems"] if p["severity"] == "warning"] == []
    rendered.ok("scale", "web", "3")
    assert before.items() < rendered.ids().items()
    rendered.ok("down", "--volumes", "--yes")
    assert rendered.traces() == []


def test_a_running_count_is_kept(stack: Stack) -> None:
    """On takeover the replicas that run are what is wanted: a scale that Docker Compose made
    stays, with this `up` and the next."""
    stack.write({"web": service(replicas={"initial": 1, "max": 5})})
    stack.ok("render", "compose", "-o", "docker-compose.yml")
    stack.compose("up", "-d", "--wait", "--scale", "web=2")
    before = stack.ids()
    for _ in range(2):
        stack.ok("up")
        assert stack.ids() == before
    stack.ok("up", "--reset-scale")
    assert stack.ids().items() < before.items()


def test_handed_back(rendered: Stack) -> None:
    """Docker Compose finds what msctl made as its file says, and can list it, run commands in it,
    restart nothing, and take it down."""
    rendered.ok("up")
    before = rendered.ids()
    rendered.compose("up", "-d")
    assert rendered.ids() == before
    listed = rendered.compose("ps", "--format", "{{.Name}}").out.split()
    assert set(listed) == set(before)
    said = rendered.compose("exec", "-T", "--index", "2", "web", "cat", "/run/secrets/token").out
    assert said == "a-token-of-mine"
    assert "web-1" in rendered.compose("logs", "--no-color", "web").out
    rendered.compose("down", "--volumes")
    assert (rendered.ids(), rendered.networks()) == ({}, [])
