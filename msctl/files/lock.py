"""One msctl at a time works on a stack: a file lock that dies with its holder.

The operating system lets go of the lock when the holder ends, however it ends. Who holds it stands
in a file beside the lock, for messages only: it decides nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from platform import node

from msctl.errors import MsctlError, StackLocked, StepFailed
from msctl.files import wholefile
from msctl.frozen import dataclass
from msctl.variables import LOCKS

POLL = 0.1
"""Seconds between two tries of one who waits for the lock."""
GLANCE = 0.2
"""Seconds for which a lock may be held by somebody who only looks at it."""


@dataclass(frozen=True)
class Holder:
    """Who works on a stack."""

    pid: int
    command: str
    since: str
    """RFC 3339, local time."""
    host: str = ""
    """On which its process has that number: a container counts for itself."""

    def __str__(self) -> str:
        try:
            since = datetime.fromisoformat(self.since).strftime("%Y-%m-%d %H:%M:%S")
        except ValueError:
            since = self.since
        where = "" if self.host in ("", node()) else f" in {self.host}"
        return f"process {self.pid}{where} ({self.command}), since {since}"


@dataclass(frozen=True)
class StackLock:
    """The lock of one project on one engine."""

    folder: Path
    engine: str
    """The engine's id."""
    project: str

    @contextmanager
    def held(
        self,
        command: str,
        started: datetime,
        *,
        wait: float = 0.0,
        waiting: Callable[[str], None] = lambda _: None,
    ) -> Iterator[None]:
        """Hold the lock; `waiting` is told once, when it is not to be had at once.

        Raises:
            StackLocked: another one holds it, and still does after `wait` seconds.
            MsctlError: the lock's file cannot be written.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self._path("lock"), mode=0o600)
        try:
            try:
                # Whoever only looks who holds it, holds it for an instant.
                lock.acquire(timeout=GLANCE, poll_interval=GLANCE / 10)
            except Timeout:
                if wait <= 0:
                    raise
                waiting(f"waiting up to {wait:g} s for {self._who()}")
                lock.acquire(timeout=wait, poll_interval=POLL)
        except Timeout:
            raise StackLocked(
                f"another msctl works on {self.project}: {self._who()}",
                hint="wait until it has ended, or let msctl wait: --wait-lock 60",
            ) from None
        except OSError as error:
            raise _unusable(self.folder, error) from None
        try:
            since = started.isoformat(timespec="seconds")
            self._sign(Holder(os.getpid(), command, since, node()))
            yield
        finally:
            with suppress(OSError):
                self._path("json").unlink(missing_ok=True)
            lock.release()

    def holder(self) -> Holder | None:
        """Who holds the lock now; None: nobody."""
        path = self._path("lock")
        if not path.exists():
            return None
        from filelock import FileLock, Timeout

        lock = FileLock(path, mode=0o600)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return self._read() or Holder(0, "which did not say so", "just now")
        except OSError:
            return self._read()
        lock.release()
        return None

    @property
    def signed(self) -> bool:
        """Whether somebody has written that it holds the lock, and perhaps still does.

        Cheap, where `holder` loads the library of the lock. Nobody has signed yet, or could, when
        this is false: not that nobody holds it.
        """
        return self._path("json").exists()

    def _path(self, suffix: str) -> Path:
        key = hashlib.sha256(f"{self.engine}\0{self.project}".encode()).hexdigest()[:16]
        return self.folder / f"{self.project[:60]}-{key}.{suffix}"

    def _sign(self, holder: Holder) -> None:
        """Write who holds the lock, all at once: a reader never sees half of it."""
        path = self._path("json")
        with suppress(StepFailed):  # the lock holds without it
            wholefile.write(path, json.dumps(asdict(holder)))

    def _read(self) -> Holder | None:
        try:
            found = json.loads(self._path("json").read_text("utf-8"))
            pid, command, since = int(found["pid"]), str(found["command"]), str(found["since"])
            return Holder(pid, command, since, str(found.get("host", "")))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _who(self) -> str:
        return str(self._read() or "a process that has just begun")


def lock_folder(candidates: Sequence[Callable[[], Path]] = ()) -> Path:
    """The user's folder for locks, made when absent.

    It is in the user's home, where all of the user's processes find the same one: the runtime
    folder goes when the user logs out, and under cron or sudo it is another; with it would go the
    lock that the stack's autoscaler has mounted. Without a home, the runtime or temporary folder.

    It belongs to the user alone, since others could hold up or mislead msctl through it.

    Raises:
        MsctlError: no such folder can be had.
    """
    error: OSError | None = None
    given = os.environ.get(LOCKS)
    places = [lambda: Path(given)] if given else [_state, _runtime, _temporary]
    for candidate in candidates or places:
        try:
            return _private(candidate())
        except OSError as found:
            error = error or found
    raise _unusable(None, error)


def _state() -> Path:
    """By the user's number, not by $HOME, which sudo may leave as it was.

    Raises:
        OSError: this user has no home.
    """
    try:
        from pwd import getpwuid
    except ImportError:  # Windows
        from platformdirs import user_state_path

        return Path(user_state_path("msctl", appauthor=False))
    try:
        home = Path(getpwuid(os.getuid()).pw_dir)
    except KeyError:
        raise FileNotFoundError(f"user {os.getuid()} has no home") from None
    if not home.is_dir():
        raise FileNotFoundError(f"{home} is not there")
    return home / ".local" / "state" / "msctl"


def _runtime() -> Path:
    import warnings

    from platformdirs import user_runtime_path

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it falls back to the temporary folder is fine
        return Path(user_runtime_path("msctl", appauthor=False))


def _temporary() -> Path:
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    return Path(tempfile.gettempdir()) / f"msctl-{user}"


def _private(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(f"{folder} is not a folder")
    if hasattr(os, "getuid"):
        if found.st_uid != os.getuid():
            raise PermissionError(f"{folder} belongs to another user")
        if found.st_mode & 0o077:
            folder.chmod(0o700)
    with tempfile.TemporaryFile(dir=folder):
        return folder


def _unusable(folder: Path | None, error: OSError | None) -> MsctlError:
    where = f" in {folder}" if folder else ""
    return MsctlError(
        f"the stack's lock cannot be taken{where}: {error}; nothing was changed",
        hint=f"set {LOCKS} to a folder of yours that can be written",
    )
