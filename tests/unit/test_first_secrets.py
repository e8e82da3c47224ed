"""Two who make the first secrets of one database at once: who comes second notices."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from memory import MemoryEngine, running
from memory.stacks import stack_of

from msctl.engines.compose import labels
from msctl.engines.compose.api.client import Client
from msctl.engines.compose.deeds.gatewayfiles import GatewayFiles
from msctl.engines.compose.deeds.images import Images
from msctl.engines.compose.deeds.perform import Performer
from msctl.engines.compose.deeds.settings import SettingsSource
from msctl.engines.compose.observing.files import check_mounts
from msctl.engines.compose.planning.rotate import plan_rotate
from msctl.engines.compose.revision import Revision
from msctl.engines.compose.steps import CreateVolume
from msctl.engines.secretfiles import stage_secret, write_secret
from msctl.engines.secretsteps import StageSecret, WriteSecret
from msctl.errors import StepFailed, UsageProblem
from msctl.plan import Step

Volumes = dict[str, dict[str, str]]


class Engine:
    """An engine's volumes: whoever makes one that is there is given that one."""

    def __init__(self) -> None:
        self.volumes: Volumes = {}

    def call(self, request: Callable[[Any], Any], **_: Any) -> Any:
        return request(SimpleNamespace(create_volume=self._create))

    def _create(self, name: str, **options: Any) -> dict[str, Any]:
        return {"Labels": self.volumes.setdefault(name, options["labels"])}

    def perform(self, *steps: Step) -> None:
        """As one msctl does it."""
        nothing = SimpleNamespace()
        files = cast("GatewayFiles", _Anything())
        source = cast("SettingsSource", _Anything())
        performer = Performer(cast("Client", self), cast("Images", nothing), files, source)
        for step in steps:
            performer.perform(step, lambda _: None)


class _Anything:
    def __getattr__(self, name: str) -> None:
        return None


def steps(folder: Path, volume: str = "shop_data") -> list[Step]:
    """What a first `up` does from a copy of the stack file."""
    path = str(folder / ".msctl" / "secrets" / "password")
    write = WriteSecret(target="password", path=path, secret="password")
    return [write, CreateVolume(target=volume, labels={}, secrets=(path,))]


def value(folder: Path) -> str | None:
    path = folder / ".msctl" / "secrets" / "password"
    return path.read_text() if path.exists() else None


def two(tmp_path: Path) -> tuple[Path, Path]:
    """Two copies of a stack file."""
    folders = tmp_path / "a", tmp_path / "b"
    for folder in folders:
        folder.mkdir()
    return folders


def test_the_second_takes_back_what_the_database_does_not_have(tmp_path: Path) -> None:
    """It is told where the secret is; its next `up` is refused, since it has none."""
    engine, (first, second) = Engine(), two(tmp_path)
    engine.perform(*steps(first))
    with pytest.raises(StepFailed, match="made by somebody else a moment ago") as raised:
        engine.perform(*steps(second))
    assert raised.value.hint == f"copy {second}/.msctl/secrets/password from there, then msctl up"
    assert value(second) is None
    assert value(first)
    assert value(first) not in str(engine.volumes)


def test_what_another_database_has_is_kept(tmp_path: Path) -> None:
    """The same secret may be that of a volume which the second has made itself."""
    engine, (first, second) = Engine(), two(tmp_path)
    engine.perform(*steps(first))
    write, mine = steps(second, "shop_mine")
    _, theirs = steps(second)
    with pytest.raises(StepFailed):
        engine.perform(write, mine, theirs)
    assert value(second)


def test_one_that_was_there_before_is_never_taken_back(tmp_path: Path) -> None:
    """Somebody wrote it by hand."""
    engine, (first, second) = Engine(), two(tmp_path)
    engine.perform(*steps(first))
    write_secret(WriteSecret(target="s", path=str(steps(second)[0].path), secret="password"))  # type: ignore[attr-defined]
    with pytest.raises(StepFailed):
        engine.perform(*steps(second))
    assert value(second)


def test_two_in_one_folder_have_one_secret(tmp_path: Path) -> None:
    """A folder that both machines see: neither takes anything back."""
    engine, (folder, _) = Engine(), two(tmp_path)
    engine.perform(*steps(folder))
    engine.perform(*steps(folder))
    assert value(folder)
    assert labels.MADE_WITH in engine.volumes["shop_data"]


def test_two_rotations_at_once_go_on_with_one_value(tmp_path: Path) -> None:
    """The database has been told that one."""
    step = StageSecret(target="password", folder=str(tmp_path))
    threads = [threading.Thread(target=stage_secret, args=(step,)) for _ in range(8)]
    seen = set()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
        seen.add((tmp_path / ".next.password").read_text())
    assert len(seen) == 1


def test_a_rotation_from_another_copy_of_the_stack_file_is_refused() -> None:
    """What runs would keep the old value, since it has the other copy's file."""
    stack = stack_of({"web": {"secrets": ["token"]}})
    world = running(stack)
    engine = MemoryEngine(world, stack)
    state = engine.observe()
    theirs = {"/home/bob/shop/.msctl/secrets/token": "digest"}
    containers = tuple(replace(replica, secrets=theirs) for replica in state.containers)
    message = r"web-1 has its secrets from /home/bob/shop/\.msctl/secrets, not from here"
    with pytest.raises(UsageProblem, match=message):
        plan_rotate(engine.desired(state), replace(state, containers=containers), "token")
    assert plan_rotate(engine.desired(state), state, "token")


def test_secrets_are_refused_where_the_engine_is_on_another_machine() -> None:
    """It would mount a file of its own machine, or none."""
    secret = {"token": {"file": "/srv/shop/.msctl/secrets/token"}}
    revision = Revision("web", {"image": "web"}, {}, {}, secret)
    with pytest.raises(UsageProblem, match="the engine is on another one; nothing was changed"):
        check_mounts(revision, local=False)
