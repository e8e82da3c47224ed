"""Files are written whole or not at all, also when the disk is full."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from msctl.engines.secretfiles import rotate_secret, stage_secret, write_secret
from msctl.engines.secretsteps import RotateSecret, StageSecret, WriteSecret
from msctl.errors import StackLocked, StepFailed
from msctl.files import passwords, wholefile
from msctl.files.lock import StackLock
from msctl.tls.authority import Authority

NOON = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
LONG = "x" * 100_000


@contextmanager
def full_disk() -> Iterator[None]:
    """No file can be longer than 8 bytes; no fixture, since pytest may itself write to a file."""
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_file_is_replaced_or_kept(tmp_path: Path) -> None:
    """`write` replaces it, `write_once` does not; the mode is as asked, nothing else is left."""
    path = tmp_path / "file"
    wholefile.write_once(path, "first")
    wholefile.write_once(path, "second")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("first", 0o600)
    wholefile.write(path, "third", 0o444)
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("third", 0o444)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("write", [wholefile.write, wholefile.write_once])
def test_a_full_disk_leaves_what_was_there(
    tmp_path: Path, write: Callable[[Path, str], None]
) -> None:
    """The error says which file and why; neither half a file nor a draft is left."""
    path, other = tmp_path / "file", tmp_path / "other"
    path.write_text("before")
    for wanted in (path, other):
        with full_disk(), pytest.raises(StepFailed, match=r"cannot write .*: File too large"):
            write(wanted, LONG)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_no_half_secret(tmp_path: Path) -> None:
    """A secret is not made, or keeps its value."""
    folder = tmp_path / ".msctl" / "secrets"
    with full_disk(), pytest.raises(StepFailed):
        write_secret(WriteSecret(target="token", path=str(folder / "token"), secret="token"))
    assert list(folder.iterdir()) == []
    (folder / "token").write_text("old")
    with full_disk(), pytest.raises(StepFailed):
        stage_secret(StageSecret(target="token", folder=str(folder)))
    (folder / ".next.token").write_text("new")
    with full_disk(), pytest.raises(StepFailed):
        rotate_secret(
            RotateSecret(target="token", folder=str(folder), files={"web.token": "value={secret}"})
        )
    assert (folder / "token").read_text() == "old"
    assert (folder / ".next.token").read_text() == "new"
    assert not (folder / "web.token").exists()


def test_a_full_disk_leaves_the_certificate_as_it_is(tmp_path: Path) -> None:
    """None is made, or the old one stays, with its authority and key; no draft is left."""
    own = Authority(tmp_path / ".msctl" / "tls", "shop", ["www.example.org"])
    with full_disk(), pytest.raises(StepFailed, match="cannot write"):
        own.issue(NOON)
    assert list((tmp_path / ".msctl" / "tls").iterdir()) == []
    own.issue(NOON)
    before = {path.name: path.read_text() for path in (tmp_path / ".msctl" / "tls").iterdir()}
    for later in (timedelta(days=340), timedelta(days=3600)):  # also a new authority
        with full_disk(), pytest.raises(StepFailed, match="cannot write"):
            own.issue(NOON + later)
        after = {path.name: path.read_text() for path in (tmp_path / ".msctl" / "tls").iterdir()}
        assert after == before
    assert own.due(NOON) is None


def test_a_full_disk_keeps_a_password_that_fits_its_hash(tmp_path: Path) -> None:
    """Or makes none."""
    folder = tmp_path / ".msctl" / "secrets"
    with full_disk(), pytest.raises(StepFailed, match="cannot write"):
        passwords.make(folder, "alice")
    assert list(folder.iterdir()) == []
    passwords.make(folder, "alice")
    with full_disk(), pytest.raises(StepFailed, match="cannot write"):
        passwords.make(folder, "alice", fresh=True)
    assert passwords.due(folder, ["alice"]) == {}


def test_a_full_disk_keeps_nobody_from_locking(tmp_path: Path) -> None:
    """The lock is no contents; only who holds it cannot be told."""
    one, two = (StackLock(tmp_path, "engine", "shop") for _ in range(2))
    with (
        full_disk(),
        one.held("msctl up", NOON),
        pytest.raises(StackLocked, match="another msctl works on shop"),
        two.held("msctl down", NOON),
    ):
        pass


def test_drafts_of_a_killed_one_do_not_stay(tmp_path: Path) -> None:
    """They hold secrets. One that may still be written is left alone, and so are other files."""
    folder = tmp_path / ".msctl/secrets"
    folder.mkdir(parents=True)
    for name in (".new-old", ".new-fresh", ".next.token", "token"):
        (folder / name).write_text("secret")
        if name != ".new-fresh":
            os.utime(folder / name, (0, 0))
    passwords.make(folder, "alice")
    names = {path.name for path in folder.iterdir()}
    assert names == {".new-fresh", ".next.token", "token", "@alice", "@alice.bcrypt"}


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "huge"])
def test_only_a_file_is_read(tmp_path: Path, kind: str) -> None:
    """Nothing is followed, waited for, or read without an end."""
    path = tmp_path / "file"
    {
        "link": lambda: path.symlink_to("/dev/zero"),
        "pipe": lambda: os.mkfifo(path),
        "folder": path.mkdir,
        "huge": lambda: path.write_bytes(b"x" * (wholefile.MOST_BYTES + 1)),
    }[kind]()
    with pytest.raises(StepFailed, match=r"is a link|cannot read .*: (it is|Is a)"):
        wholefile.read(path)


@pytest.mark.parametrize("which", [".msctl", ".msctl/tls"])
def test_a_linked_folder_is_not_written_into(tmp_path: Path, which: str) -> None:
    """Neither that of the files nor the one around it; what it leads to stays as it is."""
    (tmp_path / "elsewhere/tls").mkdir(parents=True)
    place = tmp_path / "stack"
    (place / which).parent.mkdir(parents=True)
    (place / which).symlink_to(tmp_path / "elsewhere")
    for write in (
        lambda: Authority(place / ".msctl/tls", "shop", []).issue(NOON),
        lambda: passwords.make(place / ".msctl/tls", "alice"),
        lambda: write_secret(WriteSecret(target="t", path=str(place / ".msctl/tls/t"), secret="t")),
    ):
        with pytest.raises(StepFailed, match=f"{which} is a link"):
            write()
    assert [path.name for path in (tmp_path / "elsewhere").rglob("*")] == ["tls"]
