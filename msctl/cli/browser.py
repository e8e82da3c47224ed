"""The user's web browser, where there is one."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping


def has_browser(
    environ: Mapping[str, str],
    platform: str = sys.platform,
    which: Callable[[str], object] = shutil.which,
) -> bool:
    """Whether a page can be opened in a window, and not in the terminal that msctl writes to."""
    if platform in ("win32", "cygwin", "darwin"):
        return True
    display = environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
    return bool(display) and which("xdg-open") is not None


def open_page(url: str) -> bool:
    """Open a page, and do not wait for its end; whether that could be begun."""
    import click

    return click.launch(url) == 0
