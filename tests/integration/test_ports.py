"""A published port that somebody else holds."""

from __future__ import annotations

import os
import socket

import pytest
from live import Stack, free_port, service

pytestmark = pytest.mark.engine


def _refused(stack: Stack, *says: str) -> None:
    result = stack.msctl("up")
    assert result.status == 1, result
    assert all(word in result.err for word in says), result
    assert "nothing was changed" in result.err
    assert stack.traces() == []


def test_held_by_a_process(stack: Stack) -> None:
    """`up` ends with 1 before it makes anything, and tells which process holds the gateway's
    port."""
    stack.write({"web": service("/")})
    with socket.create_server(("127.0.0.1", stack.http)):
        _refused(stack, f"traefik publishes port 127.0.0.1:{stack.http}", f"pid {os.getpid()}")
    stack.ok("up")
    assert stack.visitor.get("/").status_code == 200


def test_held_by_a_container(stack: Stack) -> None:
    """The same for a service's port, held by a container, which is named."""
    port = free_port()
    holder = stack.stranger("sleep", "60", ports={"80/tcp": port})
    stack.write({"web": service(ports=[f"{port}:8000"])})
    _refused(stack, f"web publishes port {port}", f"container {holder}", "stack file")


def test_held_in_the_project(stack: Stack) -> None:
    """The same for a container of the project that nobody knows, until it may be removed: then the
    port is free before it is published again."""
    port = free_port()
    labels = {"com.docker.compose.project": stack.project, "com.docker.compose.service": "proxy"}
    holder = stack.stranger("sleep", "60", ports={"80/tcp": port}, labels=labels)
    stack.write({"web": service(ports=[f"{port}:8000"])})
    result = stack.msctl("up")
    assert result.status == 1, result
    assert f"taken by container {holder}, which is in the project" in result.err
    assert "msctl up --remove-orphans" in result.err
    assert list(stack.ids()) == [holder]
    stack.ok("up", "--remove-orphans")
    assert list(stack.ids()) == [f"{stack.project}-web-1"]


def test_freed_by_an_edit(stack: Stack) -> None:
    """A port that moves from one service to another is no conflict within one `up`."""
    port = free_port()
    stack.write({"old": service(ports=[f"127.0.0.1:{port}:8000"])})
    stack.ok("up")
    stack.write({"new": service(ports=[f"127.0.0.1:{port}:8000"])})
    stack.ok("up")
    assert list(stack.ids()) == [f"{stack.project}-new-1"]
    stack.ok("status")
