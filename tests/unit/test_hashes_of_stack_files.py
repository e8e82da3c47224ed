"""Whatever a stack file says, Docker Compose finds in msctl's containers what it would make itself:
the whole way, from two readings of the same text, with the real binary as the judge."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from everykey import PASSED, StackFile, stack_files
from everykey.drawn import FILES, OF_GATEWAY, TOP
from everykey.services import ANY, ENVIRON, ROUTED, SCALED
from hypothesis import HealthCheck, Phase, assume, given, settings

from msctl.config import load
from msctl.engines.compose.desired import desired
from msctl.errors import StackFileError
from msctl.model import Gateway, Service, Stack
from msctl.model.passthrough import SERVICE_KEYS
from msctl.render.compose import compose_file

HOME = "/home/op"
ENVIRONMENT = {**ENVIRON, "HOME": HOME, "PATH": "/usr/bin:/bin"}
COMPOSE = Path(sys.executable).with_name("docker-compose")
PHASES = (Phase.explicit, Phase.generate)
"""Without making a failure smaller: the files are large, and that takes minutes."""


def made(file: Path) -> dict[str, str]:
    """The hashes of what `msctl up` makes."""
    loaded = load(file, ENVIRONMENT)
    wanted = desired(loaded.stack, str(loaded.folder), lambda _revision: "")
    return {name: revision.hash for name, revision in wanted.revisions.items()}


def of_docker_compose(file: Path) -> dict[str, str]:
    """The hashes that Docker Compose gives the services of the rendered file."""
    ran = subprocess.run(
        [COMPOSE, "-f", file, "config", "--hash", "*"],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return dict(line.split() for line in ran.stdout.splitlines())


def test_every_key_of_the_stack_file_is_drawn() -> None:
    """A key that is new in the stack file has to come into the property below."""
    drawn = {*ANY, *SCALED, *ROUTED, "image", "port", "routes", "stateful", "job", "needs",
             "autoscale", "passthrough"}  # fmt: skip
    assert set(Service.keys) == drawn
    assert set(PASSED) == set(SERVICE_KEYS)
    of_file = {name for name, key in Stack.keys.items() if key.of_file}
    assert of_file == {"name", "networks", "services", "passthrough", *TOP}
    assert set(Gateway.keys) == set(OF_GATEWAY)


@given(stack_files())
@settings(max_examples=30, deadline=None, phases=PHASES, suppress_health_check=list(HealthCheck))
def test_docker_compose_agrees_with_whatever_is_made(
    tmp_path_factory: pytest.TempPathFactory, found: StackFile
) -> None:
    """Else `docker compose up -d` would recreate it."""
    folder = tmp_path_factory.mktemp("shop")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    (folder / "stack.yaml").write_text(found.text, encoding="utf-8")
    try:
        ours = made(folder / "stack.yaml")
    except StackFileError:  # the dashboard has a host, and no HTTPS
        assume(False)
    kept = load(folder / "stack.yaml", ENVIRONMENT, keep_variables=True).stack
    meant = load(folder / "stack.yaml", ENVIRONMENT).stack
    rendered = compose_file(kept, source="stack.yaml", meant=meant)
    (folder / "docker-compose.yml").write_text(rendered, encoding="utf-8")
    assert ours == of_docker_compose(folder / "docker-compose.yml")
