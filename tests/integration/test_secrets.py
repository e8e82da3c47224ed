"""Secrets on the real engine: rotated without a lost request, and nowhere to be read."""

from __future__ import annotations

import json
import threading

import pytest
from live import Stack, service

pytestmark = pytest.mark.engine


def test_rotated_under_visitors_and_nowhere_to_be_found(stack: Stack) -> None:
    """Users see the new value, requests go on, a stateful user is told by its command; neither
    value is in labels, environments, files, messages or logs. `up` after a hand-edited secret
    replaces its users and nobody else."""
    keep = {"name": "token", "rotate": ["sh", "-c", "cat $$MSCTL_SECRET_FILE > /tmp/told"]}
    stack.write(
        {
            "web": service("/", secrets=["token"], replicas=2),
            "db": service(stateful=True, secrets=[keep]),
            "other": service(),
        }
    )
    outputs = [stack.ok("up")]
    path = stack.folder / ".msctl" / "secrets" / "token"
    old, before = path.read_text(), stack.ids()
    assert "nothing to do" in stack.ok("up").err
    answers: list[int] = []
    done = threading.Event()

    def visit() -> None:
        while not done.is_set():
            answers.append(stack.visitor.get("/").status_code)

    visitor = threading.Thread(target=visit)
    visitor.start()
    try:
        outputs.append(stack.ok("secret", "rotate", "token"))
    finally:
        done.set()
        visitor.join()
    assert set(answers) == {200}
    new, after = path.read_text(), stack.ids()
    assert old != new
    assert {name for name in before.items() & after.items() if "-web-" in name[0]} == set()
    assert {n for n, _ in before.items() & after.items()} == {n for n in before if "-web-" not in n}

    def read(container: str, file: str) -> str:
        return stack.engine.containers.get(container).exec_run(["cat", file]).output.decode()

    for name in after:
        if "-web-" in name:
            assert read(name, "/run/secrets/token") == new
    assert read(f"{stack.project}-db-1", "/tmp/told") == new
    outputs += [stack.ok("status", "--json"), stack.ok("render"), stack.ok("logs")]
    found = json.dumps([stack.inspect(name) for name in after])
    found += json.dumps([stack.engine.volumes.get(v).attrs for v in stack.volumes()])
    found += "".join(output.out + output.err for output in outputs)
    assert old not in found
    assert new not in found
    assert "nothing to do" in stack.ok("up").err
    path.unlink()
    path.write_text("by-hand")
    plan = stack.ok("up", "--dry-run").out
    assert f"create {stack.project}-web-" in plan
    assert "secret token changed" in plan
    assert "other" not in plan
    assert "-db-" not in plan
