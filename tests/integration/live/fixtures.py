"""What the fixtures of the tests on the real engine are made of."""

from __future__ import annotations

import io
from collections.abc import Iterator

import docker
from docker.errors import ImageNotFound

from live.stack import (
    GATEWAY_IMAGE,
    PROMETHEUS_IMAGE,
    PROXY_IMAGE,
    REPOSITORY,
    SAMPLE,
    NewStack,
    Stack,
)
from msctl.render import socketproxy


def build_images(engine: docker.DockerClient) -> None:
    """The sample service as it is in this tree (the engine's cache makes that quick), and a
    gateway with its proxy."""
    _build(engine, SAMPLE, "services/sample")
    if not _has(engine, GATEWAY_IMAGE):
        _build(engine, GATEWAY_IMAGE, "images/traefik")
    if not _has(engine, PROXY_IMAGE):
        dockerfile = io.BytesIO(socketproxy.DOCKERFILE.encode())
        engine.images.build(fileobj=dockerfile, tag=PROXY_IMAGE, rm=True)


def build_prometheus(engine: docker.DockerClient) -> None:
    """The stand-in, where neither it nor the official image is there."""
    if not _has(engine, PROMETHEUS_IMAGE):
        _build(engine, PROMETHEUS_IMAGE, "images/prometheus")


def _build(engine: docker.DockerClient, tag: str, folder: str) -> None:
    path = str(REPOSITORY / "compose" / folder)
    for message in engine.api.build(path, tag=tag, rm=True, decode=True):
        assert "error" not in message, message["error"]


def _has(engine: docker.DockerClient, tag: str) -> bool:
    try:
        engine.images.get(tag)
    except ImageNotFound:
        return False
    return True


def made_stacks(engine: docker.DockerClient) -> Iterator[NewStack]:
    """Makes stacks; all of them are gone at the end."""
    made: list[Stack] = []

    def make() -> Stack:
        made.append(Stack(engine))
        return made[-1]

    try:
        yield make
    finally:
        failures = [error for one in made if (error := _destroyed(one))]
        if failures:
            raise ExceptionGroup("stacks that could not be removed", failures)


def _destroyed(stack: Stack) -> Exception | None:
    try:
        stack.destroy()
    except Exception as error:
        return error
    return None
