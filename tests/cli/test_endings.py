"""How commands end that come to no good end: exit statuses 1, 3, 4 and 130, and what is left."""

from __future__ import annotations

import re
from typing import Any

import pytest
from memory import Behaviour, Fault, MemoryEngine
from memory.converged import assert_converged
from terminal import SHOP, Terminal

from msctl.cli.session import Session
from msctl.config import load
from msctl.engines.base import Engine
from msctl.lock import StackLock

STATUS_HINT = "hint: msctl status shows how it is; the next msctl command goes on from there"


def assert_mended(terminal: Terminal) -> None:
    """The next `up` brings the stack to its file, without anything left over."""
    terminal.world.faults.clear()
    terminal.world.behaviours.clear()
    assert terminal.msctl("up").status == 0
    stack = load(terminal.folder / "stack.yaml", terminal.environ).stack
    assert_converged(terminal.world, stack)
    assert terminal.msctl("up").lines[0].startswith("nothing to do")


# 1: failed


def test_a_container_that_ends_at_once_is_named_with_its_last_words(terminal: Terminal) -> None:
    """Which container, its exit status and last lines, what was not tried, what is left running."""
    terminal.write(SHOP.replace("image: api:1", "image: api:1\n    restart: 'no'"))
    terminal.world.behave("api", Behaviour(exit_code=3, log=("no database", "giving up")))
    answer = terminal.msctl("up")
    assert answer.status == 1
    problems = answer.err[answer.err.index("\nerror:") + 1 :]
    assert re.sub(r"of \d+ steps", "of N steps", problems).splitlines() == [
        "error: shop-api-1 ended with status 3",
        "    no database",
        "    giving up",
        "hint: msctl logs api",
        "error: shop-api-2 ended with status 3",
        "    no database",
        "    giving up",
        "hint: msctl logs api",
        "error: 2 of N steps failed, 7 were not tried",
        "  left running: db (1 healthy), traefik (1 healthy)",
        STATUS_HINT,
    ]
    assert_mended(terminal)


def test_a_container_that_never_gets_healthy_is_left_for_a_look(terminal: Terminal) -> None:
    """After its deadline the replica is named and left running; its dependants did not start."""
    terminal.world.behave("db", Behaviour(healthy_after=None))
    terminal.write(SHOP.replace("stateful: true", "stateful: true\n    health: {command: [check]}"))
    answer = terminal.msctl("up", "--timeout", "7")
    assert answer.status == 1
    assert "error: shop-db-1 did not become healthy within 7s; it was left running" in answer.lines
    assert "  left running: db (0 of 1 healthy), traefik (1 healthy)" in answer.lines
    assert terminal.world.containers["shop-api-1"].state == "created"


@pytest.mark.parametrize(
    ("prepare", "message", "hint"),
    [
        pytest.param(
            lambda world: world.processes.update({(443, "tcp"): "nginx (pid 42)"}),
            "error: traefik publishes port 443/tcp, which is taken by nginx (pid 42)",
            "hint: nothing was changed; stop it, or choose another port in the stack file",
            id="port",
        ),
        pytest.param(
            lambda world: world.images.pop("api:1"),
            "error: image api:1 cannot be pulled: no such host",
            None,
            id="image",
        ),
        pytest.param(
            lambda world: world.networks.update({"shop_backend": {}}),
            "error: network shop_backend exists but is not one of project shop",
            "hint: docker network rm shop_backend",
            id="network",
        ),
    ],
)
def test_what_the_machine_lacks_ends_up_before_anything_is_created(
    terminal: Terminal, prepare: Any, message: str, hint: str | None
) -> None:
    """A taken port, an image that cannot be had, a foreign network: status 1, nothing created."""
    prepare(terminal.world)
    before = terminal.world.snapshot()[0]
    answer = terminal.msctl("up")
    assert answer.status == 1
    assert message in answer.lines
    assert hint is None or hint in answer.lines
    assert terminal.world.snapshot()[0] == before
    assert terminal.world.containers == {}


def test_a_failed_build_is_told_with_its_output(terminal: Terminal) -> None:
    """The last lines of a build that failed are shown, and nothing was created."""
    del terminal.world.images["web:1"]
    terminal.world.broken_builds.add("web:1")
    terminal.write(SHOP.replace("image: web:1", "image: web:1\n    build: ./web"))
    answer = terminal.msctl("up")
    assert answer.status == 1
    assert "error: the build of web:1 failed: exit status 1" in answer.lines
    assert "    Step 2/2 : RUN false" in answer.lines
    assert terminal.world.containers == {}


@pytest.mark.parametrize("at", range(1, 15))
def test_a_step_that_fails_leaves_a_stack_that_the_next_up_mends(
    terminal: Terminal, at: int
) -> None:
    """Whichever action the engine refuses, the rest goes on, and `up` mends it."""
    terminal.world.plant(Fault("fail", at=at))
    answer = terminal.msctl("up")
    assert answer.status == 1
    assert "the engine says no (planted)" in answer.err
    assert STATUS_HINT in answer.lines
    assert_mended(terminal)


# 3: no engine


@pytest.mark.parametrize(
    "words",
    [
        ["up"],
        ["up", "--dry-run"],
        ["down"],
        ["scale", "api", "3"],
        ["status"],
        ["routes"],
        ["logs"],
    ],
    ids=" ".join,
)
def test_without_an_engine_every_command_ends_with_status_3(
    shop: Terminal, words: list[str]
) -> None:
    """The message says where msctl looked for an engine, and what to do."""
    shop.world.reachable = False
    answer = shop.msctl(*words)
    assert (answer.status, answer.out, answer.lines) == (
        3,
        "",
        [
            "error: no Docker engine answers at memory://world: Connection refused",
            "hint: start it (systemctl start docker, or Docker Desktop), or set DOCKER_HOST; "
            "msctl doctor tells more",
        ],
    )


@pytest.mark.parametrize("at", range(1, 15))
def test_an_engine_that_goes_away_half_way_ends_with_status_3(terminal: Terminal, at: int) -> None:
    """Whichever action finds the engine gone, the next `up` goes on from there."""
    terminal.world.plant(Fault("unreachable", at=at))
    answer = terminal.msctl("up")
    assert answer.status == 3
    assert "error: no Docker engine answers (planted)" in answer.lines
    assert_mended(terminal)


# 4: locked


@pytest.fixture
def locked(shop: Terminal) -> Any:
    """Another msctl works on the shop."""
    engine: Engine = MemoryEngine(shop.world, load(shop.folder / "stack.yaml", {}).stack)
    lock = StackLock(shop.folder / ".locks", engine.info().id, "shop")
    from datetime import UTC, datetime

    with lock.held("msctl up", datetime(2030, 1, 1, tzinfo=UTC)):
        yield shop


@pytest.mark.parametrize("words", [["up"], ["down"], ["scale", "api", "3"]], ids=" ".join)
def test_a_stack_at_which_another_works_is_left_alone(locked: Terminal, words: list[str]) -> None:
    """A changing command ends with status 4 and says who works there."""
    before = locked.world.snapshot()
    answer = locked.msctl(*words)
    assert (answer.status, answer.out) == (4, "")
    assert answer.lines[0].startswith("error: another msctl works on shop: process ")
    assert "(msctl up), since 2030-01-01" in answer.lines[0]
    assert answer.lines[1] == "hint: wait until it has ended, or let msctl wait: --wait-lock 60"
    assert locked.world.snapshot() == before


@pytest.mark.parametrize("words", [["status"], ["routes"], ["up", "--dry-run"]], ids=" ".join)
def test_who_only_looks_needs_no_lock(locked: Terminal, words: list[str]) -> None:
    """Read-only commands and dry runs work while another msctl does."""
    assert locked.msctl(*words).status == 0


def test_another_project_is_not_locked(locked: Terminal) -> None:
    """The lock is one per project."""
    locked.write("name: other\nservices:\n  web: {image: 'web:1'}\n", "other.yaml")
    assert locked.msctl("-f", "other.yaml", "up").status == 0


# 130: interrupted


@pytest.mark.parametrize("at", range(1, 15))
def test_ctrl_c_ends_with_status_130_and_the_next_up_goes_on(terminal: Terminal, at: int) -> None:
    """Whenever it is pressed, the message says that nothing is lost."""
    terminal.world.plant(Fault("interrupt", at=at))
    answer = terminal.msctl("up")
    assert answer.status == 130
    assert answer.lines[-1] == "interrupted; the next msctl command goes on from there"
    assert_mended(terminal)


@pytest.mark.parametrize("when", ["before", "within", "after"])
@pytest.mark.parametrize("verb", ["record scale of", "create", "start", "stop", "remove"])
def test_an_interrupted_scale_is_finished_by_the_next_up(
    shop: Terminal, verb: str, when: Any
) -> None:
    """Ctrl-C in a scale leaves an intent or none, and `up` brings exactly what it says."""
    shop.msctl("scale", "api", "3")
    words = ["api", "5"] if verb in ("record scale of", "create", "start") else ["api", "1"]
    shop.world.plant(Fault("interrupt", verb=verb, when=when))
    status = shop.msctl("scale", *words).status
    assert status in ((0, 130) if when == "within" else (130,))
    assert shop.msctl("up").status == 0
    stack = load(shop.folder / "stack.yaml", {}).stack
    intent = MemoryEngine(shop.world, stack, str(shop.folder)).observe().intent("api")
    assert intent is not None
    assert len(shop.world.named("api")) == intent.replicas
    assert all(c.healthy for c in shop.world.containers.values())


def test_an_error_of_msctl_itself_is_one_line(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug ends with status 1 and asks for a report, without a traceback."""

    def broken(_: Session) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(Session, "load", broken)
    answer = terminal.msctl("check")
    assert (answer.status, answer.lines) == (
        1,
        [
            "error: internal error: ZeroDivisionError: oops",
            "hint: run again with --debug and report it",
        ],
    )
