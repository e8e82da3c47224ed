"""What a new user does first: the installed package, an empty folder, and an engine."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from live import GATEWAY_IMAGE, SAMPLE, Stack, free_port
from test_package import ROOT, installed, run

pytestmark = [pytest.mark.engine, pytest.mark.soak]


def test_the_file_of_init_comes_up(stack: Stack, tmp_path: Path) -> None:
    """`msctl init && msctl up && msctl status && msctl down`; the two images are those of the
    tests, since nobody knows whether others can be had."""
    run(tmp_path, sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path, ROOT)
    msctl = installed(tmp_path, next(tmp_path.glob("*.whl")))
    host = {key: os.environ[key] for key in ("DOCKER_HOST",) if key in os.environ}
    environ = {**host, "HTTP_PORT": str(stack.http), "HTTPS_PORT": str(free_port())}

    def ok(*words: str) -> str:
        return run(stack.folder, msctl, *words, **environ)

    ok("-p", stack.project, "init")
    path = stack.folder / "stack.yaml"
    text = path.read_text()
    for old, new in (
        ("traefik/whoami:v1.11", f"{SAMPLE}\n    env: {{PORT: 80}}"),
        ("postgres:15", SAMPLE),
        ("[pg_isready, -U, ", '["true", "'),
        ("127.0.0.1:8080", f"127.0.0.1:{stack.dashboard}\n  image: {GATEWAY_IMAGE}"),
    ):
        assert old in text
        text = text.replace(old, new)
    path.write_text(text.replace(f'["true", "{stack.project}]', '["true"]'))
    ok("up")
    assert json.loads(ok("status", "--json"))["healthy"] is True
    assert stack.project in ok("status")
    ok("down", "--volumes", "--yes")
    assert stack.traces() == []
