"""What counts as changed of what a service mounts, and that looking for it always ends."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from msctl.engines.compose.observing import files
from msctl.engines.compose.observing.files import digest
from msctl.engines.compose.revision import Revision


def mounted(*sources: Path | str) -> str:
    """The digest of a service that mounts these, read-only."""
    mounts = [
        {"type": "bind", "source": str(source), "target": f"/m{number}", "read_only": True}
        for number, source in enumerate(sources)
    ]
    return digest(Revision("web", {"image": "web", "volumes": mounts}, {}, {}, {}))


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="only Linux makes files up")
@pytest.mark.parametrize("source", ["/", "/proc", "/sys", "/dev"])
def test_the_machine_for_whatever_measures_it_is_no_configuration(source: str) -> None:
    """Its files come and go, some cannot be read, and some never end."""
    began = time.monotonic()
    assert mounted(source) == mounted(source)
    assert time.monotonic() - began < 20


def test_what_cannot_be_read_does_not_stop_anybody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link in a circle, a pipe that nobody writes to, a file of somebody else's."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "up").symlink_to("..")
    (tmp_path / "theirs").write_text("x")
    read = files.content_digest

    def refuse(path: Path) -> bytes:
        if path.name == "theirs":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(files, "content_digest", refuse)
    before = mounted(tmp_path)
    (tmp_path / "ours").write_text("y")
    assert mounted(tmp_path) != before


def test_a_change_below_is_found_and_a_folder_of_very_many_files_is_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Contents and names count, at any depth."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one").write_text("1")
    found = {mounted(tmp_path)}
    (tmp_path / "a" / "one").write_text("2")
    found.add(mounted(tmp_path))
    (tmp_path / "a" / "one").rename(tmp_path / "a" / "two")
    found.add(mounted(tmp_path))
    assert len(found) == 3
    monkeypatch.setattr(files, "MOST_FILES", 0)
    many = mounted(tmp_path)
    (tmp_path / "more").write_text("3")
    assert mounted(tmp_path) == many
