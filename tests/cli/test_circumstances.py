"""The msctl of the command line where a shell, a home or a folder is not as usual."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from terminal import SHOP

MSCTL = [sys.executable, "-m", "msctl"]
PATH = os.environ.get("PATH", "/usr/bin:/bin")
NOWHERE = "unix:///nonexistent/docker.sock"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "stack.yaml").write_text(SHOP)
    return tmp_path


def msctl(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
    """Without a terminal, and with nothing in the environment but what is given."""
    return subprocess.run(
        [*MSCTL, *words],
        cwd=folder,
        env={"PATH": PATH, "DOCKER_HOST": NOWHERE, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("words", [["schema"], ["render"], ["--help"]], ids=" ".join)
def test_a_reader_that_leaves_is_no_error(folder: Path, words: list[str]) -> None:
    """As in `msctl … | head -0`: no traceback, nothing said, and the exit status that a shell gives
    other tools which SIGPIPE ends."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [*MSCTL, *words],
            cwd=folder,
            env={"PATH": PATH},
            stdout=writer,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    finally:
        os.close(writer)
    assert done.stderr == b""
    assert done.returncode == 141


def test_no_home_and_no_terminal(folder: Path) -> None:
    """Nothing needs a home, nor asks where nobody can answer."""
    assert msctl(folder, "check").returncode == 0
    refused = msctl(folder, "down", "--volumes")
    assert refused.returncode in (2, 3)
    assert b"Traceback" not in refused.stderr
    away = msctl(folder, "status")
    assert away.returncode == 3
    assert away.stderr.startswith(b"error: no Docker engine answers")
    assert b"\x1b" not in away.stderr


@pytest.mark.parametrize("locale", ["C", "POSIX", "en_US.ISO-8859-1"])
def test_a_locale_without_utf8(folder: Path, locale: str) -> None:
    """Files are UTF-8 whatever the locale says; messages lose letters, not lines."""
    text = SHOP.replace("image: web:1\n", "image: web:1\n    env: {CITY: Zürich}\n")
    (folder / "stack.yaml").write_text(text, encoding="utf-8")
    environ = {"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert "CITY: Zürich".encode() in msctl(folder, "render", **environ).stdout
    assert msctl(folder, "render", "-o", "c.yml", **environ).returncode == 0
    assert "CITY: Zürich" in (folder / "c.yml").read_text(encoding="utf-8")
    (folder / "stack.yaml").write_text(text + "  zürich: {}\n", encoding="utf-8")
    wrong = msctl(folder, "check", **environ)
    assert wrong.returncode == 2
    assert b"Traceback" not in wrong.stderr
    assert b"is not a name" in wrong.stderr


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
def test_a_folder_that_cannot_be_written(folder: Path) -> None:
    """The file is named, the reason given, the exit status 2, and nothing is left behind."""
    done = msctl(folder, "render", "-o", "/proc/self/docker-compose.yml")
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: cannot write /proc/self/docker-compose.yml: ")
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full disk to offer")
@pytest.mark.parametrize("words", [["render"], ["schema"], ["doctor"], ["doctor", "--json"]])
def test_a_disk_that_is_full_of_what_is_shown(folder: Path, words: list[str]) -> None:
    """The reason is told, not an error of msctl's own."""
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*MSCTL, *words],
            cwd=folder,
            env={"PATH": PATH, "DOCKER_HOST": NOWHERE},
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert done.returncode == 1
    told = "error: cannot write all that was to be shown: No space left on device"
    assert done.stderr.decode().splitlines() == [told]
