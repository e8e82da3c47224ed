"""Images: had, built, left out, or not to be had."""

from __future__ import annotations

import json
import time

import pytest
from live import GATEWAY_IMAGE, SAMPLE, Stack, service

from msctl.engines.compose.deeds.buildx import find

pytestmark = pytest.mark.engine

ABSENT = "msctl-test/nowhere-to-be-had:1"


@pytest.fixture(params=["buildx", "engine"])
def builder(request: pytest.FixtureRequest, stack: Stack) -> str:
    """BuildKit by buildx where that is installed, or the engine's own builder."""
    if request.param == "engine":
        stack.env["DOCKER_BUILDKIT"] = "0"
    elif find(stack.env) is None:
        pytest.skip("buildx is not installed here (make test-engines has it)")
    return str(request.param)


def _dockerfile(stack: Stack, text: str) -> str:
    folder = stack.folder / "image"
    folder.mkdir()
    (folder / "Dockerfile").write_text(text)
    return "./image"


def test_not_to_be_had(stack: Stack) -> None:
    """An image that can neither be pulled nor built ends `up` with 1 before anything is made,
    within a minute; service and image are named."""
    stack.write({"db": service(), "web": service(image=ABSENT, needs=["db"])})
    began = time.monotonic()
    result = stack.msctl("up")
    assert time.monotonic() - began < 60
    assert result.status == 1, result
    assert ABSENT in result.err
    assert "web" in result.err
    assert "docker load" in result.err
    assert stack.traces() == []


def test_optional(stack: Stack) -> None:
    """An optional service whose image cannot be had is left out with a line; the rest comes up,
    and is not degraded by that."""
    stack.write({"extra": service(image=ABSENT, optional=True), "web": service(needs=["extra"])})
    result = stack.ok("up")
    assert "extra is left out" in result.err
    assert list(stack.ids()) == [f"{stack.project}-web-1"]
    status = json.loads(stack.ok("status", "--json").out)
    assert [p["kind"] for p in status["problems"] if p["service"] == "extra"] == ["left_out"]


@pytest.mark.usefixtures("builder")
def test_built(stack: Stack) -> None:
    """An image that cannot be pulled is built where the service has a build; a changed build is
    taken by `up --build`."""

    def plays() -> set[str]:
        env = [entry for name in stack.ids() for entry in stack.inspect(name)["Config"]["Env"]]
        return {entry.partition("=")[2] for entry in env if entry.startswith("SERVICE_NAME=")}

    image = f"{stack.project}-own:1"
    dockerfile = f"FROM {SAMPLE}\nENV SERVICE_NAME=first\n"
    build = _dockerfile(stack, dockerfile)
    stack.write({"web": service(image=image, build=build)})
    stack.ok("up")
    assert plays() == {"first"}
    (stack.folder / build / "Dockerfile").write_text(dockerfile.replace("first", "second"))
    assert "nothing to do" in stack.ok("up").err
    stack.ok("up", "--build", "web")
    assert plays() == {"second"}
    (again,) = stack.ids().values()
    stack.ok("up", "--build", "web")
    assert list(stack.ids().values()) == [again], "the same build gives the same image"


def test_failing_build(stack: Stack, builder: str) -> None:
    """A build that fails ends `up` with 1; nothing is made. What it printed came out as it went,
    and its last lines are shown with the error."""
    quitting = "RUN echo about to give up && sleep 2 && exit 3"
    build = _dockerfile(stack, f"FROM {SAMPLE}\nARG WHO\nRUN echo hello, $WHO\n{quitting}\n")
    image = f"{stack.project}-own:1"
    ordered = {"context": build, "args": {"WHO": stack.project}}
    stack.write({"db": service(), "web": service(image=image, build=ordered)})
    up = stack.start("up")
    up.says(f"hello, {stack.project}")
    up.says("about to give up")
    assert up.process.poll() is None, "it is shown while the build goes on"
    assert up.ended() == 1, up.lines
    end = "".join(up.lines).partition("error: ")[2]
    assert f"the build of {image} failed" in end
    assert "about to give up" in end
    assert any("[2/3]" in line for line in up.lines) == (builder == "buildx"), "BuildKit's count"
    assert stack.traces() == []


def test_buildkit_alone(stack: Stack, builder: str) -> None:
    """What only BuildKit knows is built by it; the engine's builder says what is missing."""
    mounting = f"FROM {SAMPLE}\nRUN --mount=type=cache,target=/cache test -d /cache\n"
    build = _dockerfile(stack, mounting)
    stack.write({"web": service(image=f"{stack.project}-own:1", build=build)})
    result = stack.msctl("up")
    if builder == "buildx":
        assert result.status == 0, result
    else:
        assert result.status == 1, result
        assert "install buildx" in result.err


def test_missing_dockerfile(stack: Stack) -> None:
    """A build without a Dockerfile is refused with the path that was looked for."""
    image = f"{stack.project}-own:1"
    stack.write({"web": service(image=image, build="./nowhere")})
    result = stack.msctl("up")
    assert result.status in (1, 2), result
    assert "nowhere" in result.err
    assert stack.traces() == []


def test_image_without_a_client(stack: Stack) -> None:
    """An image that has none of wget, curl and python3 cannot run the health check that `path`
    asks for: the error names `command: none`, and with that the service comes up, checked by the
    gateway alone."""
    build = _dockerfile(
        stack,
        f"FROM {GATEWAY_IMAGE} AS whole\nFROM scratch\n"
        "COPY --from=whole /usr/local/bin/traefik /traefik\n"
        'ENTRYPOINT ["/traefik", "--ping=true", "--entrypoints.traefik.address=:8000"]\n',
    )
    health = {"path": "/ping", "interval": "1s", "retries": 1}
    static = {"image": f"{stack.project}-own:1", "build": build}
    stack.write({"static": service("/ping", health=health, **static)})
    result = stack.msctl("up")
    assert result.status == 1, result
    assert "services.static.health.command: none" in result.err
    stack.write({"static": service("/ping", health={**health, "command": "none"}, **static)})
    stack.ok("up")
    assert stack.visitor.get("/ping").text == "OK"
    stack.ok("status")


def test_what_a_rollback_would_take_goes_with_the_stack(stack: Stack) -> None:
    """The tag that keeps the image of the revision before; the image itself has others."""
    stack.write({"web": service(env={"ROUND": "1"})})
    stack.ok("up")
    stack.write({"web": service(env={"ROUND": "2"})})
    stack.ok("up")
    tag = f"{stack.project}-web:previous"
    assert [one for one in stack.engine.api.images(name=tag) if one["RepoTags"]]
    stack.ok("down")
    assert stack.engine.api.images(name=tag) == []
    assert stack.engine.api.images(name=SAMPLE)
