"""The package as a user gets it: built, installed in a clean environment, run in another folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from msctl import __version__

ROOT = Path(__file__).parents[2]
KEPT = ("HOME", "PATH", "PIP_", "SSL_CERT", "REQUESTS_CA", "CURL_CA", "LANG")
"""What pip needs of the environment: where packages come from, and whom it trusts."""


def run(folder: Path, *words: object, **more: str) -> str:
    """The output of a command that ends well; nothing of this repository is in its way, and `more`
    is in its environment."""
    environ = {key: value for key, value in os.environ.items() if key.startswith(KEPT)} | more
    ran = subprocess.run(
        [str(word) for word in words],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ran.returncode == 0, f"{words}: {ran.stdout}{ran.stderr}"
    return ran.stdout


def installed(folder: Path, package: Path) -> Path:
    """The command of a package, in a clean environment."""
    venv.create(folder / "venv", with_pip=True)
    binary = folder / "venv" / "bin"
    run(folder, binary / "python", "-m", "pip", "install", "-q", package)
    return binary / "msctl"


def test_the_wheel_runs_in_an_empty_folder(tmp_path: Path) -> None:
    """With nothing of the repository but what is in it."""
    source, unpacked, empty = tmp_path / "source", tmp_path / "unpacked", tmp_path / "bakery"
    empty.mkdir()
    for name in ("msctl", "man"):
        leave = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, source / name, ignore=leave)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    run(tmp_path, *pip, "install", "--no-deps", "--no-compile", "--target", unpacked, source)
    assert (unpacked / "share" / "man" / "man1" / "msctl.1").is_file()

    def msctl(*words: str) -> str:
        return run(empty, sys.executable, "-m", "msctl", *words, PYTHONPATH=str(unpacked))

    where = "import msctl; print(msctl.__file__)"
    said = run(empty, sys.executable, "-c", where, PYTHONPATH=str(unpacked))
    assert said.startswith(str(unpacked))
    assert msctl("--version") == f"msctl {__version__}\n"
    msctl("init")
    msctl("check")
    assert "name: bakery" in msctl("render")


@pytest.mark.soak
def test_wheel_and_sdist_work_outside_the_repository(tmp_path: Path) -> None:
    """The wheel is made of the sdist, and has all that a first stack file needs."""
    dist, empty = tmp_path / "dist", tmp_path / "bakery"
    empty.mkdir()
    run(tmp_path, sys.executable, "-m", "build", "--outdir", dist, ROOT)
    (wheel,) = dist.glob("*.whl")
    (sdist,) = dist.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "msctl/py.typed" in names
    page = f"msctl-{__version__}.data/data/share/man/man1/msctl.1"
    assert [name for name in names if ".data/" in name] == [page]
    tops = {name.partition("/")[0] for name in names} - {page.partition("/")[0]}
    assert tops == {"msctl", f"msctl-{__version__}.dist-info"}
    with tarfile.open(sdist) as source:
        members = {member.partition("/")[2] for member in source.getnames()}
    assert {
        "README.md",
        "LICENSE",
        "pyproject.toml",
        "msctl/cli/group.py",
        "man/msctl.1",
    } <= members

    msctl = installed(tmp_path, wheel)
    assert run(empty, msctl, "--version") == f"msctl {__version__}\n"
    assert "init" in run(empty, msctl, "--help")
    run(empty, msctl, "init")
    run(empty, msctl, "check")
    rendered = run(empty, msctl, "render")
    assert "name: bakery" in rendered
    assert "traefik.http.routers.web.rule" in rendered
    assert "complete" in run(empty, msctl, "completion", "bash")
    run(empty, msctl, "add", "cache", "--image", "redis:7")
    run(empty, msctl, "render", "-o", "docker-compose.yml")
    run(empty, msctl, "import", "docker-compose.yml", "-o", "-")
