"""The lock of a stack, held by real processes."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from msctl.errors import MsctlError, StackLocked
from msctl.files.lock import StackLock, lock_folder

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOLD = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from msctl.files.lock import StackLock
lock = StackLock(Path(sys.argv[1]), "engine", "shop")
with lock.held("msctl up web", datetime(2026, 3, 1, 12, 0, tzinfo=UTC)):
    print("held", flush=True)
    sys.stdin.readline()
"""

on_posix = pytest.mark.skipif(not hasattr(os, "getuid"), reason="permissions of POSIX")


@pytest.fixture
def lock(tmp_path: Path) -> StackLock:
    return StackLock(tmp_path, "engine", "shop")


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until it is told to end."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_msctl_is_told_who_holds_the_lock(
    lock: StackLock, holder: subprocess.Popen[str]
) -> None:
    """Process, command and start of the holder, and the way to wait for it."""
    with pytest.raises(StackLocked) as error, lock.held("msctl scale web 3", NOW):
        pass
    assert error.value.exit_status == 4
    assert error.value.message == (
        f"another msctl works on shop: process {holder.pid} (msctl up web), "
        "since 2026-03-01 12:00:00"
    )
    assert error.value.hint is not None
    assert "--wait-lock" in error.value.hint


def test_a_holder_that_was_killed_holds_nobody_up(
    lock: StackLock, holder: subprocess.Popen[str]
) -> None:
    """SIGKILL leaves no lock behind, whatever files are left."""
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with lock.held("msctl up", NOW):
        found = lock.holder()
    assert found is not None
    assert found.pid == os.getpid()


def test_waiting_ends_when_the_holder_ends(lock: StackLock, holder: subprocess.Popen[str]) -> None:
    """--wait-lock gets the lock as soon as it is free, and says once for whom it waits."""
    told: list[str] = []

    def waiting(text: str) -> None:
        told.append(text)
        assert holder.stdin is not None
        holder.stdin.write("\n")
        holder.stdin.flush()

    with lock.held("msctl up", NOW, wait=30, waiting=waiting):
        pass
    assert [text.partition(" (")[0] for text in told] == [
        f"waiting up to 30 s for process {holder.pid}"
    ]


@pytest.mark.usefixtures("holder")
def test_waiting_has_an_end(lock: StackLock) -> None:
    """Who waited in vain is told as who did not wait."""
    with pytest.raises(StackLocked), lock.held("msctl up", NOW, wait=0.2):
        pass


@pytest.mark.usefixtures("holder")
def test_other_stacks_are_not_locked(tmp_path: Path) -> None:
    """Neither another project on the engine, nor the project's name on another engine."""
    others = [StackLock(tmp_path, "engine", "other"), StackLock(tmp_path, "another engine", "shop")]
    with others[0].held("msctl up", NOW), others[1].held("msctl up", NOW):
        holders = [lock.holder() for lock in others]
        assert [holder and holder.pid for holder in holders] == [os.getpid()] * 2


def test_the_holder_is_known_while_it_holds(lock: StackLock, holder: subprocess.Popen[str]) -> None:
    """`doctor` names it, and nobody afterwards."""
    found = lock.holder()
    assert found is not None
    assert (found.pid, found.command) == (holder.pid, "msctl up web")
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert lock.holder() is None


def test_nobody_holds_a_lock_that_was_never_taken(lock: StackLock) -> None:
    """To ask makes no file."""
    assert lock.holder() is None
    assert not list(lock.folder.iterdir())


def test_the_lock_is_let_go_when_the_work_fails(lock: StackLock) -> None:
    """An exception inside does not keep it."""
    with pytest.raises(ValueError, match="broken"), lock.held("msctl up", NOW):
        raise ValueError("broken")
    assert lock.holder() is None
    with lock.held("msctl up", NOW):
        pass


def test_threads_of_one_process_exclude_each_other(tmp_path: Path) -> None:
    """The lock is of the holder's own, not of its process."""
    refused: list[StackLocked] = []

    def second() -> None:
        try:
            with StackLock(tmp_path, "engine", "shop").held("msctl down", NOW):
                pass
        except StackLocked as error:
            refused.append(error)

    with StackLock(tmp_path, "engine", "shop").held("msctl up", NOW):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert len(refused) == 1


def test_a_note_that_cannot_be_read_is_no_obstacle(
    lock: StackLock, holder: subprocess.Popen[str]
) -> None:
    """What stands beside the lock is for messages only."""
    assert holder.poll() is None
    for path in lock.folder.glob("*.json"):
        path.write_text("{")
    with pytest.raises(StackLocked, match="has just begun"), lock.held("msctl up", NOW):
        pass


@on_posix
def test_the_folder_belongs_to_the_user_alone(tmp_path: Path) -> None:
    """Made with mode 0700, and closed when it was open to others."""
    folder = tmp_path / "run" / "msctl"
    assert lock_folder([lambda: folder]) == folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o755)
    lock_folder([lambda: folder])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@on_posix
def test_a_link_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    """In a temporary folder that all users share, somebody may have laid it there."""
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(MsctlError, match="cannot be taken"):
        lock_folder([lambda: tmp_path / "link"])


def test_the_next_folder_is_taken_where_one_cannot_be_had(tmp_path: Path) -> None:
    """Without a home, the runtime folder, and then the temporary one."""
    (tmp_path / "file").write_text("")
    good = tmp_path / "good"
    assert lock_folder([lambda: tmp_path / "file" / "msctl", lambda: good]) == good


def test_without_any_folder_nothing_is_changed(tmp_path: Path) -> None:
    """The message says what cannot be written, and how to name another folder."""
    (tmp_path / "file").write_text("")
    with pytest.raises(MsctlError) as error:
        lock_folder([lambda: tmp_path / "file" / "msctl"])
    assert "nothing was changed" in error.value.message
    assert error.value.hint is not None
    assert "MSCTL_LOCKS" in error.value.hint


def folder_of_process(**environ: str) -> Path:
    """The folder that a process with nothing else in its environment takes."""
    script = "from msctl.files.lock import lock_folder; print(lock_folder())"
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=kept | environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return Path(done.stdout.strip())


def test_a_folder_is_found_without_a_home(tmp_path: Path) -> None:
    """As in a container or under cron: neither HOME nor XDG_RUNTIME_DIR."""
    assert folder_of_process(TMPDIR=str(tmp_path)).is_dir()


@on_posix
def test_every_process_of_a_user_takes_the_same_folder(tmp_path: Path) -> None:
    """At a login, under cron and after sudo, which have other runtime folders or leave HOME as it
    was: two with different folders would not exclude each other. Only MSCTL_LOCKS chooses."""
    other, run = str(tmp_path / "home"), str(tmp_path / "run")
    plain = folder_of_process()
    assert folder_of_process(HOME=other, XDG_RUNTIME_DIR=run, TMPDIR=str(tmp_path)) == plain
    assert folder_of_process(MSCTL_LOCKS=run) == Path(run)


def test_a_holder_elsewhere_is_told_with_its_place(
    lock: StackLock, holder: subprocess.Popen[str]
) -> None:
    """The stack's autoscaler counts its processes from 1: its number alone would mislead."""
    assert holder.poll() is None
    [note] = lock.folder.glob("*.json")
    found = json.loads(note.read_text())
    note.write_text(json.dumps({**found, "host": "autoscaler", "pid": 7}))
    with pytest.raises(StackLocked, match=r"process 7 in autoscaler \("), lock.held("up", NOW):
        pass


def test_who_holds_a_lock_has_signed(lock: StackLock, holder: subprocess.Popen[str]) -> None:
    """So that who only looks need not try the lock; what a killed one signed says no more."""
    assert lock.signed
    assert not StackLock(lock.folder, "engine", "other").signed
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert lock.signed
    assert lock.holder() is None
