"""Whether there is a browser, and what becomes of a page that is opened in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from msctl.cli.browser import has_browser


@pytest.mark.parametrize(
    ("environ", "platform", "opener", "expected"),
    [
        ({}, "linux", "/usr/bin/xdg-open", False),
        ({"DISPLAY": ":0"}, "linux", "/usr/bin/xdg-open", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", "/usr/bin/xdg-open", True),
        ({"DISPLAY": ":0"}, "linux", None, False),
        ({}, "darwin", None, True),
        ({}, "win32", None, True),
    ],
)
def test_a_browser_is_one_with_a_window(
    environ: dict[str, str], platform: str, opener: str | None, expected: bool
) -> None:
    """Never one that would take the terminal, or wait for a display that is not there."""
    assert has_browser(environ, platform, lambda _: opener) is expected


@pytest.mark.skipif(sys.platform != "linux", reason="xdg-open is Linux's")
def test_a_browser_that_stays_open_is_not_waited_for(tmp_path: Path) -> None:
    """It is told the address, and msctl ends while it runs."""
    opener, told = tmp_path / "xdg-open", tmp_path / "told"
    os.mkfifo(told)
    opener.write_text(f'#!/bin/sh\nprintf %s "$1" > {told}\nexec sleep 10\n')
    opener.chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    code = "from msctl.cli.browser import open_page; assert open_page('http://localhost:3010')"
    command = [sys.executable, "-c", code]
    subprocess.run(command, env=env, timeout=15, check=True, stdout=subprocess.DEVNULL)
    assert told.read_text() == "http://localhost:3010"
