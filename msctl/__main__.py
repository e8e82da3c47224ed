"""`msctl`: readies the process, then runs the command line."""

from __future__ import annotations

import gc
import os
import signal
import sys
from contextlib import suppress
from types import FrameType

from msctl.cli.group import cli

_SHOW_CURSOR = b"\x1b[?25h\n"
_GARBAGE = 100_000
"""New objects after which Python looks for garbage. By default (700), a command of a fraction of a
second looks through all that it has just loaded a hundred times: 3 % of its instructions."""


def main() -> None:
    """Entry point; ends the process."""
    gc.set_threshold(_GARBAGE)
    _never_fail_at_letters()
    for signum in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(signum) is not signal.SIG_IGN:  # as of a shell's background job
            signal.signal(signum, _interrupt)
    try:
        cli.main(prog_name="msctl")
    except SystemExit as end:
        _end(end.code)


def _end(status: str | int | None) -> None:
    """At once: to free, object by object, what the process gives back anyway takes Python 6 % of a
    short command's instructions. Nothing is left to be done: what has to end ends in its `with`."""
    if isinstance(status, str):
        sys.exit(status)
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with suppress(OSError):  # what stdout took not has been told; for stderr nobody is left
            stream.flush()
    os._exit(status or 0)


def _never_fail_at_letters() -> None:
    """In a locale without UTF-8, what cannot be written is shown as `?`."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="replace")


def _interrupt(_signum: int, _frame: FrameType | None) -> None:
    """The first time, end in good order; the second time, at once."""
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, _leave)
    raise KeyboardInterrupt


def _leave(_signum: int, _frame: FrameType | None) -> None:
    if sys.stderr is not None and sys.stderr.isatty():
        os.write(sys.stderr.fileno(), _SHOW_CURSOR)
    os._exit(130)


if __name__ == "__main__":
    main()
