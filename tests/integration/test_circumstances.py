"""Shells, folders and disks that are not as usual, on the real engine."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from live import MSCTL, NewStack, Result, Stack, Visitor, free_port, service

pytestmark = pytest.mark.engine

LOOKS = ["status", "status --json", "routes", "logs", "doctor"]
READER_LEFT = 141
BARE = {
    "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    **({"DOCKER_HOST": host} if (host := os.environ.get("DOCKER_HOST")) else {}),
}
SAYS = r"printf 'Z\303\274rich \033]0;owned\007\033[2J\377end\n' >/proc/1/fd/1"
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && cd "$0" && exec "$@"'
FULL = 'mount -t tmpfs -o size=4k none "$0" && echo full >"$0/it-is" && exec "$@"'
NO_FILES = 'mount -t tmpfs -o nr_inodes=1 none "$0" && exec "$@"'


@pytest.fixture(scope="module")
def shop(module_stacks: NewStack) -> Stack:
    """A secret, a certificate and two replicas, up."""
    stack = module_stacks()
    web = service("/", replicas={"initial": 2, "min": 1}, secrets=["token"])
    https = {"https": f"127.0.0.1:{free_port()}", "tls": {"mode": "self-signed"}}
    stack.write({"web": web}, gateway=https)
    stack.ok("up")
    return stack


@contextmanager
def within(stack: Stack, *prefix: str) -> Iterator[None]:
    """Its commands are started by others."""
    stack.inside = list(prefix)
    try:
        yield
    finally:
        stack.inside = []


def mounted(stack: Stack, how: str, folder: str = "") -> AbstractContextManager[None]:
    """In a mount namespace of their own, where a folder of the stack is another one."""
    place = stack.folder / folder
    place.mkdir(parents=True, exist_ok=True)
    return within(stack, "unshare", "--mount", "sh", "-c", how, str(place))


# Who reads


@pytest.mark.parametrize("words", LOOKS)
def test_nobody_reads(shop: Stack, words: str) -> None:
    """Nothing is said, and the exit status is that of other tools."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [MSCTL, *words.split()],
            cwd=shop.folder,
            env=shop.env,
            stdout=writer,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (READER_LEFT, b"")


def piped(stack: Stack, words: str) -> Result:
    """`msctl WORDS | head -n 1`: its own exit status."""
    line = f"set -o pipefail; '{MSCTL}' {words} | head -n 1"
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=stack.folder,
        env=stack.env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def test_somebody_reads_the_first_line(shop: Stack) -> None:
    """Whether all was written by then or not; what follows a log ends with its reader."""
    found = piped(shop, "status")
    assert (found.status in (0, READER_LEFT), found.err) == (True, ""), found
    assert found.out.startswith(f"{shop.project} is healthy")
    visitor = Visitor(json.loads(shop.ok("status", "--json").out)["gateway"]["url"])
    done = threading.Event()

    def come() -> None:
        while not done.wait(0.2):
            visitor.get("/")

    coming = threading.Thread(target=come)
    coming.start()
    try:
        found = piped(shop, "logs -f traefik --tail 1")
    finally:
        done.set()
        coming.join()
    assert (found.status, found.err) == (READER_LEFT, "")


def test_a_change_whose_reader_leaves_is_finished(shop: Stack) -> None:
    """It goes on without telling."""
    found = piped(shop, "scale web 1 2>&1")
    assert (found.status, found.err) == (0, "")
    assert found.out.startswith("[1/")
    assert len(shop.ids("web")) == 1


def test_a_change_whose_messages_find_a_full_disk_is_finished(shop: Stack) -> None:
    """So does it where the log that it writes is on a disk without room."""
    with open("/dev/full", "wb") as full:
        changed = subprocess.run(
            [MSCTL, "scale", "web", "2"], cwd=shop.folder, env=shop.env, stderr=full, timeout=60
        )
    assert changed.returncode == 0
    assert len(shop.ids("web")) == 2
    shop.ok("scale", "web", "1")


# Who speaks


@pytest.mark.parametrize(
    ("locale", "commands"),
    [("C", [*LOOKS, "up", "dashboard --print"]), ("en_US.ISO-8859-1", ["status"])],
)
def test_without_home_terminal_or_utf8(shop: Stack, locale: str, commands: list[str]) -> None:
    """Every command works; what cannot be written is shown as `?`, and what a container writes
    paints no terminal."""
    name, *_ = shop.ids("web")
    shop.engine.containers.get(name).exec_run(["sh", "-c", SAYS])

    def run(words: str) -> bytes:
        done = subprocess.run(
            [MSCTL, *words.split()],
            cwd=shop.folder,
            env={**BARE, "LC_ALL": locale},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, (words, done)
        assert b"Traceback" not in done.stderr
        assert b"\x1b" not in done.stdout + done.stderr
        return done.stdout

    for words in commands:
        run(words)
    said = next(line for line in run("logs web").splitlines() if b"rich" in line)
    assert b"end" in said
    assert said.count(b"\x07") == 0


# Where nothing can be written


def test_a_read_only_folder_keeps_nobody_from_working(shop: Stack) -> None:
    """Whatever writes nothing works; what has to write says where it could not, and has changed
    nothing."""
    secret = shop.folder / ".msctl" / "secrets" / "token"
    old, before = secret.read_text(), shop.ids()
    with mounted(shop, READ_ONLY):
        assert "nothing to do" in shop.ok("up").err
        for words in [*LOOKS, "render", "scale web 2"]:
            shop.ok(*words.split())
        now = shop.ids()
        assert before.items() < now.items()
        refused = shop.msctl("secret", "rotate", "token")
        assert refused.status == 1
        assert "Read-only file system" in refused.err
        for words in ("render -o docker-compose.yml", "add api --image i", "init -f new.yaml"):
            refused = shop.msctl(*words.split())
            assert refused.status == 2, (words, refused)
            assert "Read-only file system" in refused.err, (words, refused)
            assert "Traceback" not in refused.err
        assert (secret.read_text(), shop.ids()) == (old, now)


def test_a_first_up_in_a_read_only_folder_creates_nothing(stack: Stack) -> None:
    """Neither certificate nor secret can be kept."""
    https = {"https": f"127.0.0.1:{free_port()}", "tls": {"mode": "self-signed"}}
    stack.write({"web": service("/", secrets=["token"])}, gateway=https)
    for how, folder, why in (
        (READ_ONLY, "", "Read-only file system"),
        (FULL, ".msctl", "No space left on device"),
    ):
        with mounted(stack, how, folder):
            refused = stack.msctl("up")
        assert refused.status == 1, refused
        assert why in refused.err
        assert f"{stack.folder}/.msctl" in refused.err
        assert "Traceback" not in refused.err
        assert stack.traces() == []
    assert list((stack.folder / ".msctl").rglob("*")) == []


def test_a_lock_that_cannot_be_kept(shop: Stack) -> None:
    """Then nobody knows who works on the stack: nothing is changed; who looks is not held up."""
    before = shop.ids()
    with mounted(shop, NO_FILES, "locks"):
        refused = shop.msctl("scale", "web", "1", MSCTL_LOCKS=f"{shop.folder}/locks")
        shop.ok("status")
    assert refused.status == 1
    assert "the stack's lock cannot be taken" in refused.err
    assert "No space left on device" in refused.err
    assert "nothing was changed" in refused.err
    assert shop.ids() == before
